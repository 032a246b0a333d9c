using EfConcurrency.Idempotency;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.PostgresTests.Idempotency;

public sealed class LedgerContext(DbContextOptions<LedgerContext> options) : DbContext(options)
{
    public DbSet<Entry> Entries => Set<Entry>();

    public DbSet<Account> Accounts => Set<Account>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasIdempotencyKeys();
        modelBuilder.Entity<Entry>().HasIndex(e => e.Unique).IsUnique();
    }
}

/// <summary>An effect: one row for each time that the work took effect.</summary>
public sealed class Entry
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public string? Unique { get; set; }
}

public sealed class Account : IVersioned
{
    public int Id { get; set; }

    public int Balance { get; set; }

    public long Version { get; private set; }
}

public sealed record Withdrawal(int Amount);

public sealed record Receipt(int EntryId, string Text);

/// <summary>A fresh database with the tables of <see cref="LedgerContext"/>.</summary>
public sealed class LedgerDatabase(PostgresServer server) : DatabaseFixture(server)
{
    public static readonly Withdrawal Request = new(100);

    public static readonly IdempotencyFingerprint Print = IdempotencyFingerprint.Of(Request);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public LedgerContext Open(
        string? connectionString = null,
        ServerJudgedSaves judge = ServerJudgedSaves.WhenAvailable,
        ILoggerFactory? loggers = null,
        Action<DbContextOptionsBuilder>? configure = null)
    {
        var builder = new DbContextOptionsBuilder<LedgerContext>().UseNpgsql(connectionString ?? ConnectionString).UseEfConcurrency(o => o.UseServerJudgedSaves(judge)).UseLoggerFactory(loggers);
        configure?.Invoke(builder);
        return new(builder.Options);
    }

    public static IdempotencyKey NewKey(string scope = "tests|withdraw") => new(scope, Guid.NewGuid().ToString());

    public static async Task<Receipt> WithdrawAsync(LedgerContext db, IdempotencyKey key, CancellationToken token)
    {
        var entry = new Entry { Text = key.Key };
        db.Add(entry);
        await db.SaveChangesAsync(token);
        return new(entry.Id, key.Key);
    }

    /// <summary>Withdraws once for the key, on a context of its own.</summary>
    public async Task<IdempotencyOutcome<Receipt>> WithdrawOnceAsync(IdempotencyKey key, IdempotencyOptions? options = null, string? connectionString = null)
    {
        await using var db = Open(connectionString);
        return await db.ExecuteIdempotentlyAsync(key, Request, (context, token) => WithdrawAsync(context, key, token), options, TestContext.Current.CancellationToken);
    }

    public Task<long> EffectsAsync(IdempotencyKey key) => ScalarAsync<long>($"select count(*) from \"Entries\" where \"Text\" = '{key.Key}'");

    public Task<long> RowsAsync(IdempotencyKey key) => ScalarAsync<long>($"select count(*) from efc.idempotency_key where key = '{key.Key}'");

    public Task<T> ColumnAsync<T>(IdempotencyKey key, string column) => ScalarAsync<T>($"select {column} from efc.idempotency_key where key = '{key.Key}'");

    /// <summary>As if the time had passed.</summary>
    public Task SetAsync(IdempotencyKey key, string assignment) => ExecuteAsync($"update efc.idempotency_key set {assignment} where key = '{key.Key}'");

    /// <summary>Another process: it shares no connections with this one.</summary>
    public string With(Action<NpgsqlConnectionStringBuilder> change)
    {
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        change(builder);
        return builder.ConnectionString;
    }
}
