using Microsoft.EntityFrameworkCore;

namespace LockHost;

/// <summary>The table that the test has made.</summary>
internal sealed class TallyContext(string connectionString) : DbContext
{
    public DbSet<Tally> Tallies => Set<Tally>();

    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) => optionsBuilder.UseNpgsql(connectionString).UseEfConcurrency();
}

/// <summary>No version: only a lock keeps its increments from being lost.</summary>
internal sealed class Tally
{
    public int Id { get; set; }

    public int Value { get; set; }
}
