using EfConcurrency.Leases;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>A fresh database whose tables refuse by triggers.</summary>
public sealed class TriggerDatabase(PostgresServer server) : DatabaseFixture(server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(Token);
    }

    public TriggerContext Open() => new(new DbContextOptionsBuilder<TriggerContext>().UseNpgsql(ConnectionString).UseEfConcurrency().Options);

    public async Task<Lease> TakeOverAsync(string name)
    {
        await using var db = Open();
        await db.Leases().ForceAsync(name, Token);
        return (await db.Leases().TryAcquireAsync(name, new() { KeepAlive = false, TimeToLive = TimeSpan.FromMinutes(10) }, Token)).Lease!;
    }

    public async Task<int> AddStrictAsync()
    {
        await using var lease = await TakeOverAsync("s");
        await using var db = Open();
        using var scope = db.UseLease(lease);
        var strict = new Strict();
        db.Add(strict);
        await db.SaveChangesAsync(Token);
        return strict.Id;
    }
}

public sealed class TriggerContext(DbContextOptions<TriggerContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasLeases();
        modelBuilder.Entity<Plain>().FencedBy("p").HasFencingToken(p => p.FencingToken).HasFencingTrigger().Property(p => p.Id).ValueGeneratedNever();
        modelBuilder.Entity<Strict>().FencedBy("s").HasFencingToken(p => p.FencingToken).HasFencingTrigger(strict: true);
        modelBuilder.Entity<Page>().FencedBy(p => "page:" + p.Id + "/" + p.Key).HasFencingTrigger(strict: true).Property(p => p.Id).ValueGeneratedNever();
    }
}

public sealed class Plain
{
    public int Id { get; set; }

    public int Total { get; set; }

    public long FencingToken { get; private set; }
}

public sealed class Strict
{
    public int Id { get; set; }

    public int Total { get; set; }

    public long FencingToken { get; private set; }
}

public sealed class Page
{
    public int Id { get; set; }

    public string Key { get; set; } = "";

    public string? Text { get; set; }
}
