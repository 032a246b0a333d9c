using EfConcurrency.Leases;
using EfConcurrency.PostgresTests.Fencing;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.Leases;

/// <summary>What a lease asks of the server: round trips, writes, and the wait for the disk.</summary>
public sealed class LeaseCostTests(PlantDatabase plant) : IClassFixture<PlantDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Name { get; } = Guid.NewGuid().ToString();

    [Theory]
    [InlineData("acquire")]
    [InlineData("held")]
    [InlineData("renew")]
    [InlineData("release")]
    [InlineData("force")]
    public async Task One_round_trip(string operation)
    {
        await using var proxy = plant.StartProxy();
        await using var db = plant.Open(connectionString: proxy.ConnectionString);
        var leases = db.Leases();
        await using (var warm = await leases.AcquireAsync(Name + "warm", TimeSpan.Zero, PlantDatabase.Still, Token))
        {
            await warm.RenewAsync(Token);
        }

        var held = operation == "acquire" ? null : (await leases.TryAcquireAsync(Name, PlantDatabase.Still, Token)).Lease;
        var trips = proxy.CountRoundTrips();
        switch (operation)
        {
            case "acquire" or "held":
                await leases.TryAcquireAsync(Name, PlantDatabase.Still, Token);
                break;
            case "renew":
                await held!.RenewAsync(Token);
                break;
            case "release":
                await held!.ReleaseAsync(Token);
                break;
            default:
                await leases.ForceAsync(Name, Token);
                break;
        }

        Assert.Equal(1, trips.Count);
    }

    /// <summary>Counted by transaction ids: who writes gets one.</summary>
    [Fact]
    public async Task A_contender_that_finds_it_held_writes_nothing()
    {
        await using var quiet = await LocalPostgres.StartAsync(new() { Settings = new Dictionary<string, string> { ["autovacuum"] = "off" } }, Token);
        await using var own = await quiet.CreateDatabaseAsync(Token);
        await using var db = plant.Open(connectionString: own.ConnectionString);
        await db.Database.EnsureCreatedAsync(Token);
        var leases = db.Leases();
        await using var held = (await leases.TryAcquireAsync(Name, PlantDatabase.Still, Token)).Lease!;
        var writes = await WritesOfAsync(own, async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                Assert.Equal(LeaseOutcome.Held, (await leases.TryAcquireAsync(Name, PlantDatabase.Still, Token)).Outcome);
            }
        });

        Assert.Equal(0, writes);
        Assert.Equal(1, await WritesOfAsync(own, () => held.RenewAsync(Token)));
    }

    /// <summary>Looked at where it counts: at the commit.</summary>
    [Theory]
    [InlineData("off", "on")]
    [InlineData("local", "on")]
    [InlineData("remote_apply", "remote_apply")]
    public async Task Commits_wait_for_the_disk_whatever_the_database_says(string setting, string expected)
    {
        await using var own = await plant.CreateDatabaseAsync();
        await using (var db = plant.Open(connectionString: own.ConnectionString))
        {
            await db.Database.EnsureCreatedAsync(Token);
            await db.Database.ExecuteSqlRawAsync($$"""
                create table seen (setting text);
                create function note() returns trigger language plpgsql as $f$ begin insert into seen values (current_setting('synchronous_commit')); return null; end $f$;
                create constraint trigger note after insert or update on efc.lease deferrable initially deferred for each row execute function note();
                do $f$ begin execute 'alter database ' || quote_ident(current_database()) || ' set synchronous_commit = {{setting}}'; end $f$;
                """, Token);
        }

        NpgsqlConnection.ClearAllPools();
        await using (var db = plant.Open(connectionString: own.ConnectionString))
        {
            var lease = (await db.Leases().TryAcquireAsync(Name, PlantDatabase.Still, Token)).Lease!;
            await lease.RenewAsync(Token);
            await lease.ReleaseAsync(Token);
            await db.Leases().ForceAsync(Name, Token);
            Assert.Equal(Enumerable.Repeat(expected, 4), await db.Database.SqlQuery<string>($"select setting as \"Value\" from seen").ToListAsync(Token));
        }
    }

    /// <summary>Transaction ids given out meanwhile by the whole server; asking takes none.</summary>
    private static async Task<long> WritesOfAsync(TestDatabase database, Func<Task> work)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(Token);
        var before = await NextIdAsync(connection);
        await work();
        return await NextIdAsync(connection) - before;
    }

    private static async Task<long> NextIdAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select txid_snapshot_xmax(txid_current_snapshot())", connection);
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }
}
