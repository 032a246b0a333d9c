using EfConcurrency.JobSlots;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

/// <summary>What a claim costs: network round trips, and writes on the server.</summary>
public sealed class CostTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private static readonly JobSlotOptions AtLeastOnce = new() { Mode = JobSlotMode.AtLeastOnce };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_takes_one_round_trip()
    {
        await using var proxy = database.StartProxy();
        var slots = database.Slots(proxy.ConnectionString);
        var job = NewJob();
        await slots.TryClaimAsync(NewJob(), Midnight, cancellationToken: Token); // opens the connection

        async Task<T> OneTripAsync<T>(Func<Task<T>> call)
        {
            var trips = proxy.CountRoundTrips();
            var result = await call();
            Assert.Equal(1, trips.Count);
            return result;
        }

        Task<JobSlotResult> ClaimAsync() => OneTripAsync(() => slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        Task<Exception?> CompleteAsync(JobSlotHandle handle) => OneTripAsync(() => Record.ExceptionAsync(() => handle.CompleteAsync(cancellationToken: Token)).AsTask());

        var first = Handle(await ClaimAsync());
        Assert.IsType<JobSlotResult.AlreadyClaimed>(await ClaimAsync());
        await OneTripAsync(() => first.ExtendAsync(TimeSpan.FromMinutes(1), Token));
        await database.ExpireAsync(job);
        var second = Handle(await ClaimAsync());
        Assert.IsType<JobSlotLostException>(await CompleteAsync(first));
        Assert.Null(await CompleteAsync(second));
        Assert.IsType<JobSlotResult.Completed>(await ClaimAsync());
        Handle(await OneTripAsync(() => slots.TryClaimAsync(NewJob(), JobSchedule.Every(TimeSpan.FromDays(1)), new() { MaxRunners = 3 }, Token)));
    }

    [Fact]
    public async Task A_claim_in_a_transaction_takes_BEGIN_along()
    {
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        await db.Effects.CountAsync(Token);
        var trips = proxy.CountRoundTrips();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        Handle(await db.TryClaimJobSlotInTransactionAsync(NewJob(), Midnight, cancellationToken: Token));
        Assert.Equal(1, trips.Count);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(3, false)]
    public async Task Claims_that_are_lost_write_nothing_and_take_no_transaction_id(int runners, bool isCompleted)
    {
        // A server of its own: all databases of a server share its log.
        await using var server = await LocalPostgres.StartAsync(new() { Settings = new Dictionary<string, string> { ["autovacuum"] = "off" } }, Token);
        await using var own = await server.CreateDatabaseAsync(Token);
        await using (var db = database.Open(own.ConnectionString))
        {
            await db.Database.EnsureCreatedAsync(Token);
        }

        var slots = database.Slots(own.ConnectionString);
        var options = new JobSlotOptions { Mode = JobSlotMode.AtLeastOnce, MaxRunners = runners };
        for (var i = 0; i < runners; i++)
        {
            var handle = Handle(await slots.TryClaimAsync("job", Midnight, options, Token));
            await (isCompleted ? handle.CompleteAsync(cancellationToken: Token) : Task.CompletedTask);
        }

        // The server itself writes now and then (checkpoints, running transactions), so one quiet round of several is enough.
        await using var observer = new NpgsqlConnection(own.ConnectionString);
        await observer.OpenAsync(Token);
        var written = new List<string>();
        for (var round = 0; round < 5; round++)
        {
            var before = await PositionAsync(observer);
            for (var i = 0; i < 100; i++)
            {
                Assert.IsNotType<JobSlotResult.Claimed>(await slots.TryClaimAsync("job", Midnight, options, Token));
            }

            written.Add($"{before} -> {await PositionAsync(observer)}");
        }

        Assert.Contains(written, w => w.Split(" -> ") is [var before, var after] && before == after);
        Assert.Equal(written[0].Split(' ')[1], written[^1].Split(' ')[^1]); // the next transaction id, whatever else was written
    }

    private static async Task<string> PositionAsync(NpgsqlConnection observer)
    {
        await using var command = new NpgsqlCommand("select pg_current_wal_insert_lsn() || ' ' || pg_snapshot_xmax(pg_current_snapshot())", observer);
        return (string)(await command.ExecuteScalarAsync(Token))!;
    }
}
