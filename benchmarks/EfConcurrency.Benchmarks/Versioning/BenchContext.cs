using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Benchmarks.Versioning;

/// <summary>The row that is written; all contexts map the same table.</summary>
internal sealed class BenchRow
{
    public int Id { get; set; }

    public int Value { get; set; }

    public long Version { get; private set; }

    public uint Xmin { get; private set; }
}

/// <summary>A row that is added with an update.</summary>
internal sealed class BenchEvent
{
    public long Id { get; set; }

    public string Text { get; set; } = "";
}

/// <summary>How the context guards its rows.</summary>
internal enum BenchGuard
{
    None,
    Xmin,
    ConcurrencyToken,
    Version,
}

internal abstract class BenchContext(DbContextOptions options, BenchGuard guard) : DbContext(options)
{
    public DbSet<BenchRow> Rows => Set<BenchRow>();

    public DbSet<BenchEvent> Events => Set<BenchEvent>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<BenchEvent>().ToTable("event");
        modelBuilder.Entity<BenchRow>(row =>
        {
            row.ToTable("row");
            if (guard == BenchGuard.Xmin)
            {
                row.Property(r => r.Xmin).IsRowVersion();
            }
            else
            {
                row.Ignore(r => r.Xmin);
            }

            if (guard == BenchGuard.Version)
            {
                row.HasVersion(r => r.Version);
            }
            else if (guard == BenchGuard.ConcurrencyToken)
            {
                row.Property(r => r.Version).IsConcurrencyToken();
            }
        });
    }
}

internal sealed class PlainContext(DbContextOptions<PlainContext> options) : BenchContext(options, BenchGuard.None);

internal sealed class XminContext(DbContextOptions<XminContext> options) : BenchContext(options, BenchGuard.Xmin);

internal sealed class TokenContext(DbContextOptions<TokenContext> options) : BenchContext(options, BenchGuard.ConcurrencyToken);

internal sealed class VersionedContext(DbContextOptions<VersionedContext> options) : BenchContext(options, BenchGuard.Version);

internal static class BenchFactory
{
    public static PooledDbContextFactory<T> Create<T>(string connectionString, ServerJudgedSaves? judge = null)
        where T : BenchContext
    {
        var options = new DbContextOptionsBuilder<T>().UseNpgsql(connectionString);
        if (judge is { } mode)
        {
            options.UseEfConcurrency(o => o.UseServerJudgedSaves(mode));
        }

        return new(options.Options);
    }
}
