using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Database;

/// <summary>
/// The library's tables, and nothing of the application's: what operators do goes through the same code as the application. The table of
/// lock names is optional for applications, so it is in the model only where it is in the database.
/// </summary>
internal sealed class OperatorContext(DbContextOptions<OperatorContext> options, string schema, bool hasLockNames) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder
            .HasLeases(o => o.Schema = schema)
            .HasJobSlots(o => o.Schema = schema)
            .HasIdempotencyKeys(o => o.Schema = schema)
            .HasInbox(o => o.Schema = schema)
            .HasOutbox(o => o.Schema = schema);
        if (hasLockNames)
        {
            modelBuilder.HasAdvisoryLockNames(o => o.Schema = schema);
        }
    }
}
