using EfConcurrency.JobSlots;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

/// <summary>What a claim costs the server, and what it survives.</summary>
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

    [Theory]
    [InlineData("off", "on")]
    [InlineData("local", "on")]
    [InlineData("remote_apply", "remote_apply")]
    public async Task Claims_and_completions_are_durable_whatever_the_session_says(string setting, string expected)
    {
        await database.ExecuteAsync(
            """
            create table if not exists seen (job text, operation text, synchronous_commit text);
            create or replace function see() returns trigger language plpgsql as
                $$ begin insert into seen values (new.job, tg_op || new.attempt || (new.completed_at is not null), current_setting('synchronous_commit')); return new; end $$;
            create or replace trigger see before insert or update on efc.job_slot for each row execute function see();
            """);
        var slots = database.Slots(database.With(b => b.Options = $"-c synchronous_commit={setting}"));
        var job = NewJob();

        Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await database.ExpireAsync(job);
        var handle = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await handle.ExtendAsync(TimeSpan.FromMinutes(1), Token);
        await handle.CompleteAsync(cancellationToken: Token);

        Assert.Equal(
            $"INSERT1false {expected}, UPDATE2false {expected}, UPDATE2false {expected}, UPDATE2true {expected}",
            await database.ScalarAsync<string>(
                $"select string_agg(operation || ' ' || synchronous_commit, ', ' order by operation) from seen where job = '{job}' and operation <> 'UPDATE1false'"));
    }

    [Theory]
    [InlineData(CommitFault.CutAfter)]
    [InlineData(CommitFault.CutBefore)]
    public async Task A_claim_whose_reply_is_lost_is_found_again(CommitFault fault)
    {
        await using var proxy = database.StartProxy();
        var slots = database.Slots(proxy.ConnectionString);
        await slots.TryClaimAsync(NewJob(), Midnight, cancellationToken: Token);
        var job = NewJob();
        var injected = proxy.FaultNextBatch(fault);

        var handle = Handle(await slots.TryClaimAsync(job, Midnight, cancellationToken: Token));

        Assert.True(injected.IsCompleted);
        Assert.Equal(handle.ClaimId, Assert.Single(await slots.HistoryAsync(job, cancellationToken: Token)).ClaimedBy);
    }

    private static async Task<string> PositionAsync(NpgsqlConnection observer)
    {
        await using var command = new NpgsqlCommand("select pg_current_wal_insert_lsn() || ' ' || pg_snapshot_xmax(pg_current_snapshot())", observer);
        return (string)(await command.ExecuteScalarAsync(Token))!;
    }
}
