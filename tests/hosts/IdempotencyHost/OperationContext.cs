using Microsoft.EntityFrameworkCore;

namespace IdempotencyHost;

/// <summary>Effects, that nothing but the key keeps from happening twice.</summary>
public sealed class OperationContext(DbContextOptions<OperationContext> options) : DbContext(options)
{
    public DbSet<Effect> Effects => Set<Effect>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasIdempotencyKeys();
}

/// <summary>Something that was done for a key: <c>work</c>, or one of the steps <c>reserve</c>, <c>charge</c> and <c>book</c>.</summary>
public sealed class Effect
{
    public long Id { get; set; }

    public string Key { get; set; } = "";

    public string Step { get; set; } = "";
}

/// <summary>What the first caller was told; all later ones must be told the same.</summary>
public sealed record Receipt(Guid Number);
