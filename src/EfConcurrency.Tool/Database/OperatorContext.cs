using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Database;

/// <summary>The library's tables, and nothing of the application's: what operators do goes through the same code as the application.</summary>
internal sealed class OperatorContext(DbContextOptions<OperatorContext> options, string schema) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder
        .HasLeases(o => o.Schema = schema)
        .HasJobSlots(o => o.Schema = schema)
        .HasIdempotencyKeys(o => o.Schema = schema)
        .HasInbox(o => o.Schema = schema)
        .HasOutbox(o => o.Schema = schema)
        .HasAdvisoryLockNames(o => o.Schema = schema);
}
