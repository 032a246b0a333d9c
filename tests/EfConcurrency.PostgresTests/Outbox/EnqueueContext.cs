using EfConcurrency.Infrastructure;
using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A shop that tells others what it has sold.</summary>
public sealed class EnqueueContext(DbContextOptions<EnqueueContext> options) : DbContext(options)
{
    public const string Resource = "stock";

    public DbSet<Sale> Sales => Set<Sale>();

    public DbSet<Shelf> Shelves => Set<Shelf>();

    public DbSet<Slip> Slips => Set<Slip>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasOutbox();
        modelBuilder.Entity<Sale>();
        modelBuilder.Entity<Shelf>().FencedBy(Resource).HasFencingToken(s => s.FencingToken);
        modelBuilder.Entity<Slip>().HasIndex(s => s.Code).IsUnique();
    }
}

public sealed class Sale : IVersioned
{
    public int Id { get; set; }

    public int Number { get; set; }

    public long Version { get; private set; }
}

public sealed class Shelf
{
    public int Id { get; set; }

    public int Number { get; set; }

    public long FencingToken { get; private set; }
}

public sealed class Slip
{
    public int Id { get; set; }

    public string Code { get; set; } = "";
}

public record SaleMade(int Id, string Text);

/// <summary>Not registered, although its base is.</summary>
public sealed record LargeSaleMade(int Id, string Text, int Discount) : SaleMade(Id, Text);

public sealed class Mutable
{
    public string Text { get; set; } = "";
}

/// <summary>Can't be serialised.</summary>
public sealed class Looping
{
    public Looping Self => this;
}

public sealed class Throwing
{
    private readonly string _text = "not today";

    public string Text => throw new InvalidOperationException(_text);
}

public sealed class EnqueueDatabase(PostgresServer server) : DatabaseFixture(server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(Token);
    }

    public EnqueueContext Open(Action<EfConcurrencyOptionsBuilder>? configure = null, string? connectionString = null, Action<DbContextOptionsBuilder>? options = null)
    {
        var builder = new DbContextOptionsBuilder<EnqueueContext>().UseNpgsql(connectionString ?? ConnectionString);
        options?.Invoke(builder);
        return new(builder.UseEfConcurrency(o =>
        {
            o.UseMessages(m => m.Add<SaleMade>("sale.made.v1").Add<Mutable>("mutable.v1").Add<Looping>("looping.v1").Add<Throwing>("throwing.v1"));
            o.UseOutbox(x => x.Source = "/shop");
            configure?.Invoke(o);
        }).Options);
    }

    public async Task<List<Sale>> AddSalesAsync(int count)
    {
        await using var db = Open();
        var sales = Enumerable.Range(0, count).Select(_ => new Sale()).ToList();
        db.AddRange(sales);
        await db.SaveChangesAsync(Token);
        return sales;
    }

    public async Task<OutboxRecord> RecordAsync(Guid id)
    {
        await using var db = Open();
        return await db.Set<OutboxRecord>().SingleAsync(r => r.MessageId == id, Token);
    }

    /// <summary>How many copies of a message are in the log.</summary>
    public Task<long> CopiesAsync(Guid id) => ScalarAsync<long>($"select count(*) from efc.outbox where message_id = '{id}'");
}
