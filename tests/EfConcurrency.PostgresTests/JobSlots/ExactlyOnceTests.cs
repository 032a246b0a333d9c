using EfConcurrency.JobSlots;
using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

/// <summary>Claim and effects in one transaction.</summary>
public sealed class ExactlyOnceTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_second_waits_for_the_first_and_gets_the_slot_only_if_that_rolls_back(bool isCommitted)
    {
        var job = NewJob();
        await using var first = database.Open();
        await using var second = database.Open();
        await using var firstTransaction = await first.Database.BeginTransactionAsync(Token);
        await using var secondTransaction = await second.Database.BeginTransactionAsync(Token);

        var handle = Handle(await first.TryClaimJobSlotInTransactionAsync(job, Midnight, "first", Token));
        var waiting = second.TryClaimJobSlotInTransactionAsync(job, Midnight, "second", Token);
        await database.UntilWaitingForLocksAsync(1);
        Assert.False(waiting.IsCompleted);
        await (isCommitted ? firstTransaction.CommitAsync(Token) : firstTransaction.RollbackAsync(Token));

        if (isCommitted)
        {
            var completed = Assert.IsType<JobSlotResult.Completed>(await waiting);
            Assert.Equal((handle.ClaimId, "first"), (completed.ClaimId, completed.By));
        }
        else
        {
            Assert.Equal(1, Handle(await waiting).Attempt);
        }
    }

    [Fact]
    public async Task Of_many_that_run_a_slot_at_once_one_has_effects()
    {
        var job = NewJob();
        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            await using var db = database.Open();
            return await RunAsync(db, job, $"runner {i}");
        }));

        Assert.Single(results.OfType<JobSlotResult.Claimed>());
        Assert.Equal(15, results.OfType<JobSlotResult.Completed>().Count());
        Assert.Equal(1L, await EffectsAsync(job));
    }

    [Fact]
    public async Task A_runner_that_dies_between_claim_and_commit_leaves_the_slot_free()
    {
        var job = NewJob();
        await using (var dying = database.Open())
        {
            await using var transaction = await dying.Database.BeginTransactionAsync(Token);
            Handle(await dying.TryClaimJobSlotInTransactionAsync(job, Midnight, cancellationToken: Token));
            dying.Add(new Effect { Text = job });
            await dying.SaveChangesAsync(Token);
            var backend = ((NpgsqlConnection)dying.Database.GetDbConnection()).ProcessID;
            await database.ExecuteAsync($"select pg_terminate_backend({backend}, 10000)");
            await Assert.ThrowsAnyAsync<Exception>(() => transaction.CommitAsync(Token));
        }

        await using var db = database.Open();
        Assert.Equal(1, Handle(await RunAsync(db, job)).Attempt);
        Assert.Equal(1L, await EffectsAsync(job));
    }

    [Fact]
    public async Task Work_that_fails_leaves_neither_effects_nor_a_claim()
    {
        var job = NewJob();
        await using var db = database.Open();
        await Assert.ThrowsAsync<NotSupportedException>(() => db.RunJobSlotOnceAsync(
            job,
            Midnight,
            async (context, _, token) =>
            {
                context.Add(new Effect { Text = job });
                await context.SaveChangesAsync(token);
                throw new NotSupportedException();
            },
            cancellationToken: Token));

        Assert.Equal(0L, await EffectsAsync(job));
        Handle(await RunAsync(db, job));
    }

    [Theory]
    [InlineData(CommitFault.CutAfter)]
    [InlineData(CommitFault.CutBefore)]
    public async Task A_commit_whose_reply_is_lost_is_not_run_twice(CommitFault fault)
    {
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        var job = NewJob();
        var injected = proxy.FaultNextCommit(fault);

        Handle(await RunAsync(db, job));

        Assert.True(injected.IsCompleted);
        Assert.Equal(1L, await EffectsAsync(job));
    }

    [Fact]
    public async Task It_is_part_of_a_unit_and_of_a_transaction_that_is_open_already()
    {
        var job = NewJob();
        await using var db = database.Open();
        await db.RetryOnConflictAsync(async (context, _) => Handle(await RunAsync(context, job)), cancellationToken: Token);
        Assert.Equal(1L, await EffectsAsync(job));

        var other = NewJob();
        await using (await db.Database.BeginTransactionAsync(Token))
        {
            Handle(await RunAsync(db, other));
        }

        Assert.Equal(0L, await EffectsAsync(other)); // rolled back by who opened it
        Handle(await database.Slots().TryClaimAsync(other, Midnight, cancellationToken: Token));
    }

    [Fact]
    public async Task The_slot_of_a_schedule_is_passed_to_the_work()
    {
        await using var db = database.Open();
        var schedule = JobSchedule.Every(TimeSpan.FromDays(3650));
        DateTimeOffset? slot = null;
        var result = await db.RunJobSlotOnceAsync(
            NewJob(),
            schedule,
            (_, handle, _) =>
            {
                slot = handle.Slot;
                return Task.CompletedTask;
            },
            cancellationToken: Token);
        Assert.Equal(schedule.SlotAt(Handle(result).ClaimedAt), slot);
    }

    [Fact]
    public async Task A_claim_outside_of_a_transaction_that_has_expired_is_taken_over_and_one_that_has_not_is_not()
    {
        var job = NewJob();
        await using var db = database.Open();
        Handle(await database.Slots().TryClaimAsync(job, Midnight, new() { Mode = JobSlotMode.AtLeastOnce }, Token));
        Assert.IsType<JobSlotResult.AlreadyClaimed>(await RunAsync(db, job));
        await database.ExpireAsync(job);
        Assert.Equal(2, Handle(await RunAsync(db, job)).Attempt);
        Assert.IsType<JobSlotResult.Completed>(await database.Slots().TryClaimAsync(job, Midnight, new() { Mode = JobSlotMode.AtLeastOnce }, Token));
    }

    [Fact]
    public async Task Above_read_committed_the_second_fails_as_other_writes_do()
    {
        var job = NewJob();
        await using var db = database.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token);
        await db.Effects.CountAsync(Token); // takes the snapshot
        Handle(await database.Slots().TryClaimAsync(job, Midnight, cancellationToken: Token));

        var error = await Assert.ThrowsAsync<PostgresException>(() => db.TryClaimJobSlotInTransactionAsync(job, Midnight, cancellationToken: Token));
        Assert.Equal(PostgresErrorCodes.SerializationFailure, error.SqlState);
    }

    [Fact]
    public async Task There_is_nothing_to_complete_and_no_way_without_a_transaction()
    {
        var job = NewJob();
        await using var db = database.Open();
        Assert.Contains("in no transaction", (await Assert.ThrowsAsync<InvalidOperationException>(
            () => db.TryClaimJobSlotInTransactionAsync(job, Midnight, cancellationToken: Token))).Message, StringComparison.Ordinal);

        var handle = Handle(await RunAsync(db, job));
        await Assert.ThrowsAsync<InvalidOperationException>(() => handle.CompleteAsync(cancellationToken: Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => handle.ExtendAsync(TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public async Task Unsaved_changes_are_not_thrown_away()
    {
        await using var db = database.Open();
        db.Add(new Effect());
        await Assert.ThrowsAsync<RetryNotPossibleException>(() => RunAsync(db, NewJob()));
    }

    private static Task<JobSlotResult> RunAsync(SlotContext db, string job, string? info = null)
        => db.RunJobSlotOnceAsync(
            job,
            Midnight,
            async (context, _, token) =>
            {
                context.Add(new Effect { Text = job });
                await context.SaveChangesAsync(token);
            },
            info,
            Token);

    private Task<long> EffectsAsync(string job) => database.ScalarAsync<long>($"select count(*) from \"Effects\" where \"Text\" = '{job}'");
}
