using EfConcurrency.AdvisoryLocks;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

public sealed class LockContext(DbContextOptions<LockContext> options) : DbContext(options)
{
    public DbSet<Tally> Tallies => Set<Tally>();

    public async Task IncrementAsync(int tally, CancellationToken token)
    {
        (await Tallies.SingleAsync(t => t.Id == tally, token)).Value++;
        await SaveChangesAsync(token);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Tally>().HasIndex(t => t.Name).IsUnique();
}

/// <summary>No version: only a lock keeps its increments from being lost.</summary>
public sealed class Tally
{
    public int Id { get; set; }

    public string? Name { get; set; }

    public int Value { get; set; }
}

public class LockDatabase(PostgresServer server) : DatabaseFixture(server)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public LockContext Open(string? connectionString = null, bool retries = false)
        => new(new DbContextOptionsBuilder<LockContext>()
            .UseNpgsql(connectionString ?? ConnectionString, o => _ = retries ? o.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(20), null) : o)
            .UseEfConcurrency()
            .Options);

    public async Task<int> AddTallyAsync()
    {
        await using var db = Open();
        var tally = new Tally();
        db.Add(tally);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return tally.Id;
    }

    public Task<int> ValueAsync(int tally) => ScalarAsync<int>($"select \"Value\" from \"Tallies\" where \"Id\" = {tally}");

    /// <summary>Holds locks in a session of its own until it is disposed.</summary>
    public Task<NpgsqlConnection> HoldAsync(params AdvisoryKey[] keys) => HoldAsync(ConnectionString, keys);

    public static async Task<NpgsqlConnection> HoldAsync(string connectionString, params AdvisoryKey[] keys)
    {
        var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        foreach (var key in keys)
        {
            await using var command = new NpgsqlCommand(key.IsPair ? $"select pg_advisory_lock{key.Digits}" : $"select pg_advisory_lock({key.Number})", connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        return connection;
    }

    /// <summary>Whether anyone holds the key, or waits for it.</summary>
    public Task<long> LocksAsync(AdvisoryKey key) => LocksAsync(this, key);

    public static Task<long> LocksAsync(DatabaseFixture database, AdvisoryKey key)
        => database.ScalarAsync<long>(
            "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()) "
            + $"and ((classid::bigint << 32) | objid::bigint) = {key.Number} and (objsubid = 2) = {key.IsPair}");

    /// <summary>Returns when the key is free: the server ends a session a moment after its client is gone.</summary>
    public async Task UntilFreeAsync(AdvisoryKey key)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (await LocksAsync(key) > 0)
        {
            await Task.Delay(10, deadline.Token);
        }
    }
}
