using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Benchmarks.Fencing;

internal sealed class FencedRow
{
    public int Id { get; set; }

    public int Value { get; set; }

    public string? Text { get; set; }

    public long FencingToken { get; set; }
}

/// <summary>The same rows, fenced in different ways, each in a table of its own.</summary>
internal abstract class FencedContext(DbContextOptions options) : DbContext(options)
{
    public const string Resource = "bench";

    public DbSet<FencedRow> Rows => Set<FencedRow>();

    public static TContext Open<TContext>(string connectionString, ServerJudgedSaves? judge = null)
        where TContext : FencedContext
    {
        var options = new DbContextOptionsBuilder<TContext>().UseNpgsql(connectionString);
        if (typeof(TContext) != typeof(UnfencedContext) && typeof(TContext) != typeof(WiderContext))
        {
            options.UseEfConcurrency(o => o.UseServerJudgedSaves(judge ?? ServerJudgedSaves.WhenAvailable));
        }

        return (TContext)Activator.CreateInstance(typeof(TContext), options.Options)!;
    }
}

/// <summary>EF as it comes.</summary>
internal sealed class UnfencedContext(DbContextOptions<UnfencedContext> options) : FencedContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<FencedRow>().ToTable("unfenced");
}

/// <summary>The library is on, and nothing is fenced.</summary>
internal sealed class IdleContext(DbContextOptions<IdleContext> options) : FencedContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<FencedRow>().ToTable("idle");
}

/// <summary>EF as it comes, for a program that writes a column more.</summary>
internal sealed class WiderContext(DbContextOptions<WiderContext> options) : FencedContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<FencedRow>().ToTable("wider").Property(r => r.FencingToken).IsConcurrencyToken();
}

/// <summary>The token in the row, compared and written.</summary>
internal sealed class RowFenceContext(DbContextOptions<RowFenceContext> options) : FencedContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<FencedRow>().ToTable("row_fence").FencedBy(Resource).HasFencingToken(r => r.FencingToken);
}

/// <summary>The lease is proved, the rows carry nothing.</summary>
internal sealed class GuardContext(DbContextOptions<GuardContext> options) : FencedContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.HasLeases().Entity<FencedRow>().ToTable("guarded");
}

/// <summary>Both, which is what a lease in scope gives to fenced rows.</summary>
internal sealed class FullFenceContext(DbContextOptions<FullFenceContext> options) : FencedContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.HasLeases(o => o.Schema = "full_fence").Entity<FencedRow>().ToTable("full_fence").FencedBy(Resource).HasFencingToken(r => r.FencingToken);
}

/// <summary>And a strict trigger.</summary>
internal sealed class StrictContext(DbContextOptions<StrictContext> options) : FencedContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.HasLeases(o => o.Schema = "strict_fence").Entity<FencedRow>().ToTable("strict_fence")
            .FencedBy(Resource).HasFencingToken(r => r.FencingToken).HasFencingTrigger(strict: true);
}
