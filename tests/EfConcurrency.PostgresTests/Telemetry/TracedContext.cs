using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Telemetry;

/// <summary>Of everything something.</summary>
public sealed class TracedContext(DbContextOptions<TracedContext> options) : DbContext(options)
{
    public DbSet<TracedPart> Parts => Set<TracedPart>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasLeases().HasOutbox();
}

public sealed class TracedPart : IVersioned
{
    public int Id { get; set; }

    public int Stock { get; set; }

    public long Version { get; private set; }
}

public sealed record TracedMessage(string Text);

/// <summary>A fresh database with the tables of <see cref="TracedContext"/>.</summary>
public sealed class TracedDatabase(PostgresServer server) : DatabaseFixture(server), IDbContextFactory<TracedContext>
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = CreateDbContext();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
        db.Add(new TracedPart { Id = 1 });
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
    }

    public TracedContext CreateDbContext() => new(Configure(new DbContextOptionsBuilder<TracedContext>()).Options);

    public TBuilder Configure<TBuilder>(TBuilder builder)
        where TBuilder : DbContextOptionsBuilder
    {
        builder.UseNpgsql(ConnectionString).UseEfConcurrency(o => o.UseMessages(m => m.Add<TracedMessage>("traced.v1")));
        return builder;
    }
}
