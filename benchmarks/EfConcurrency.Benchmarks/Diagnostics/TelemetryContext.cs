using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Benchmarks.Diagnostics;

/// <summary>A versioned row, and an outbox.</summary>
internal sealed class TelemetryContext(DbContextOptions<TelemetryContext> options) : DbContext(options)
{
    public DbSet<TelemetryRow> Rows => Set<TelemetryRow>();

    public static PooledDbContextFactory<TelemetryContext> Factory(string connectionString)
        => new(new DbContextOptionsBuilder<TelemetryContext>().UseNpgsql(connectionString).UseEfConcurrency(o => o.UseMessages(m => m.Add<ValueRaised>("value.raised.v1"))).Options);

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasOutbox();
}

internal sealed class TelemetryRow : IVersioned
{
    public int Id { get; set; }

    public int Value { get; set; }

    public long Version { get; private set; }
}

internal sealed record ValueRaised(int Id, int Value);
