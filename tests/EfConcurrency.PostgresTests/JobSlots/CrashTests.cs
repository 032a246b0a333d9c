using EfConcurrency.JobSlots;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

/// <summary>What a claim survives.</summary>
public sealed class CrashTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private static readonly JobSlotOptions AtLeastOnce = new() { Mode = JobSlotMode.AtLeastOnce };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Claims_and_completions_outlive_a_crash_of_the_server_that_would_lose_other_commits()
    {
        // What is not flushed at commit stays in memory for ten seconds.
        await using var server = await LocalPostgres.StartAsync(
            new() { Settings = new Dictionary<string, string> { ["synchronous_commit"] = "off", ["wal_writer_delay"] = "10s" } }, Token);
        await using var own = await server.CreateDatabaseAsync(Token);
        await using (var db = database.Open(own.ConnectionString))
        {
            await db.Database.EnsureCreatedAsync(Token);
        }

        var slots = database.Slots(own.ConnectionString);
        var completed = Handle(await slots.TryClaimAsync("completed", Midnight, AtLeastOnce, Token));
        await completed.CompleteAsync(cancellationToken: Token);
        Handle(await slots.TryClaimAsync("claimed", Midnight, AtLeastOnce, Token));
        await server.KillAsync(Token);
        await server.StartAgainAsync(Token);

        Assert.IsType<JobSlotResult.Completed>(await slots.TryClaimAsync("completed", Midnight, AtLeastOnce, Token));
        Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync("claimed", Midnight, AtLeastOnce, Token));
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

    [Fact]
    public async Task A_claim_whose_commit_fails_is_no_claim()
    {
        await database.ExecuteAsync(
            """
            create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused at commit'; end $$;
            create constraint trigger refuse after insert on efc.job_slot deferrable initially deferred for each row when (new.job = 'refused') execute function refuse();
            """);
        var slots = database.Slots();

        var error = await Assert.ThrowsAsync<PostgresException>(() => slots.TryClaimAsync("refused", Midnight, cancellationToken: Token));

        Assert.Equal("refused at commit", error.MessageText);
        Assert.Empty(await slots.HistoryAsync("refused", cancellationToken: Token));
    }

    [Fact]
    public async Task A_completion_after_a_long_job_finds_all_connections_dead_and_makes_a_new_one()
    {
        await using var proxy = database.StartProxy();
        var slots = database.Slots(proxy.ConnectionString);
        var job = NewJob();
        var handle = Handle(await slots.TryClaimAsync(job, Midnight, cancellationToken: Token));
        await using (var holder = database.Open())
        {
            await using var held = await holder.Database.BeginTransactionAsync(Token);
            await holder.Database.ExecuteSqlAsync($"lock table efc.job_slot", Token);
            var claims = Enumerable.Range(0, 4).Select(_ => slots.TryClaimAsync(NewJob(), Midnight, cancellationToken: Token)).ToList();
            await database.UntilWaitingForLocksAsync(4); // each on a connection of its own
            await held.RollbackAsync(Token);
            await Task.WhenAll(claims);
        }

        proxy.CutAll();
        await handle.ExtendAsync(cancellationToken: Token);
        proxy.CutAll();
        await handle.CompleteAsync("done", Token);

        Assert.Equal("done", Assert.Single(await slots.HistoryAsync(job, cancellationToken: Token)).Outcome);
    }

    [Theory]
    [InlineData(CommitFault.CutAfter)]
    [InlineData(CommitFault.CutBefore)]
    public async Task A_completion_whose_reply_is_lost_is_found_again(CommitFault fault)
    {
        await using var proxy = database.StartProxy();
        var slots = database.Slots(proxy.ConnectionString);
        var job = NewJob();
        var handle = Handle(await slots.TryClaimAsync(job, Midnight, cancellationToken: Token));
        var injected = proxy.FaultNextBatch(fault);

        await handle.CompleteAsync("done", Token);

        Assert.True(injected.IsCompleted);
        Assert.Equal("done", Assert.Single(await slots.HistoryAsync(job, cancellationToken: Token)).Outcome);
    }
}
