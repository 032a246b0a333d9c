using System.Data;
using System.Data.Common;
using System.Diagnostics;
using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>How the library's commit looks to others, and what the options do to the transaction.</summary>
public sealed class RetryCommitTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Interceptors_of_the_application_see_the_commit()
    {
        var interceptor = new CommitInterceptor();
        var factory = ShopFactory.Create(shop.ConnectionString, configure: o => o.AddInterceptors(interceptor));

        await factory.RetryOnConflictAsync((db, token) => SaveAsync(db, "seen", token), cancellationToken: Token);

        Assert.Equal(["committing", "committed"], interceptor.Seen);
    }

    [Fact]
    public async Task What_fails_right_after_the_commit_does_not_hide_that_the_work_is_committed()
    {
        var text = Guid.NewGuid().ToString();
        var factory = ShopFactory.Create(shop.ConnectionString, configure: o => o.AddInterceptors(new CommitInterceptor { Failure = new DbUpdateConcurrencyException("looks like a conflict") }));

        var error = await Assert.ThrowsAsync<AfterCommitException>(() => factory.RetryOnConflictAsync((db, token) => SaveAsync(db, text, token), cancellationToken: Token));

        Assert.IsType<DbUpdateConcurrencyException>(error.InnerException);
        Assert.Equal(1L, await CountAsync(text));
    }

    [Fact]
    public async Task A_commit_whose_reply_never_comes_is_settled_after_the_command_timeout()
    {
        await using var proxy = shop.StartProxy(c => (c.CommandTimeout, c.Timeout, c.CancellationTimeout) = (1, 1, -1));
        var text = Guid.NewGuid().ToString();
        var injected = proxy.FaultNextCommit(CommitFault.BlackHoleReply);

        await ShopFactory.Create(proxy.ConnectionString).RetryOnConflictAsync((db, token) => SaveAsync(db, text, token), cancellationToken: Token);

        Assert.True(injected.IsCompleted);
        Assert.Equal(1L, await CountAsync(text));
    }

    [Fact]
    public async Task What_the_unit_does_to_the_tracker_after_its_save_does_not_matter()
    {
        var factory = ShopFactory.Create(shop.ConnectionString);
        var options = new RetryOnConflictOptions { BaseDelay = TimeSpan.Zero };
        for (var run = 0; run < 5; run++)
        {
            var id = (await shop.AddAsync(new Counter())).Id;
            var attempts = 0;
            await factory.RetryOnConflictAsync(
                async (db, token) =>
                {
                    var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                    if (++attempts == 1)
                    {
                        await shop.ChangeAsync<Counter>(id, c => c.Value = 10);
                    }

                    db.Remove(counter);
                    await db.SaveChangesAsync(token);
                    db.ChangeTracker.Clear();
                    counter.Id = -1;
                },
                options,
                Token);
            Assert.Equal(0L, await shop.ScalarAsync<long>($"select count(*) from \"Counters\" where \"Id\" = {id}"));
        }
    }

    [Theory]
    [InlineData(ConflictRetryTransaction.PerUnit, false, 3)] // BEGIN and read, save, COMMIT
    [InlineData(ConflictRetryTransaction.PerSave, false, 2)] // read, save
    [InlineData(ConflictRetryTransaction.PerUnit, true, 8)] // BEGIN and read, save, report, ROLLBACK; BEGIN and lock, read, save, COMMIT
    [InlineData(ConflictRetryTransaction.PerSave, true, 7)] // the same without ROLLBACK
    public async Task Round_trips_of_a_unit(ConflictRetryTransaction transaction, bool isLostOnce, int expected)
    {
        await using var proxy = shop.StartProxy();
        var factory = ShopFactory.Create(proxy.ConnectionString);
        var id = (await shop.AddAsync(new Counter())).Id;
        var options = new RetryOnConflictOptions { Transaction = transaction };
        RoundTripCounter trips = null!;

        for (var run = 0; run < 2; run++)
        {
            trips = proxy.CountRoundTrips(); // the second run counts: the first opens the connection
            var attempts = 0;
            await factory.RetryOnConflictAsync(
                async (db, token) =>
                {
                    (await db.Counters.SingleAsync(c => c.Id == id, token)).Value++;
                    if (++attempts == 1 && isLostOnce)
                    {
                        await shop.ChangeAsync<Counter>(id, c => c.Value++); // not through the proxy
                    }

                    await db.SaveChangesAsync(token);
                },
                options,
                Token);
        }

        Assert.Equal(expected, trips.Count);
    }

    [Fact]
    public async Task A_real_serialization_failure_runs_the_unit_as_often_as_it_says_in_spite_of_EnableRetryOnFailure()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var factory = ShopFactory.Create(shop.ConnectionString, npgsql => npgsql.EnableRetryOnFailure(3));
        var attempts = 0;

        var failure = await Record.ExceptionAsync(() => factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                attempts++;
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                await shop.ChangeAsync<Counter>(id, c => c.Value += 10);
                counter.Value++;
                await db.SaveChangesAsync(token);
            },
            new RetryOnConflictOptions { MaxAttempts = 3, BaseDelay = TimeSpan.Zero, IsolationLevel = IsolationLevel.RepeatableRead },
            Token));

        Assert.Equal(PostgresErrorCodes.SerializationFailure, Assert.IsType<PostgresException>(failure?.GetBaseException()).SqlState);
        Assert.Equal(3, attempts);
    }

    [Fact]
    public async Task Above_read_committed_nothing_is_locked_first()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var attempts = 0;

        await ShopFactory.Create(shop.ConnectionString).RetryOnConflictAsync(
            async (db, token) =>
            {
                var isFirst = ++attempts == 1;
                await shop.ExecuteAsync($"select 1 from \"Counters\" where \"Id\" = {id} for no key update nowait"); // 55P03 if it were locked
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                if (isFirst)
                {
                    var version = db.Entry(counter).Property(c => c.Version);
                    (version.OriginalValue, version.CurrentValue) = (77, 77);
                }

                counter.Value++;
                await db.SaveChangesAsync(token);
            },
            new RetryOnConflictOptions { IsolationLevel = IsolationLevel.RepeatableRead },
            Token);

        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task Retries_leave_no_events_in_a_trace_of_the_application()
    {
        using var mine = new Activity("mine").Start();
        var attempts = 0;

        await ShopFactory.Create(shop.ConnectionString).RetryOnConflictAsync(
            (_, _) => ++attempts == 1 ? throw new DbUpdateConcurrencyException("stale") : Task.CompletedTask,
            new RetryOnConflictOptions { BaseDelay = TimeSpan.Zero },
            Token);

        Assert.Equal(2, attempts);
        Assert.Empty(mine.Events);
    }

    [Fact]
    public async Task An_option_that_makes_no_sense_is_named()
    {
        foreach (var (options, name) in ((RetryOnConflictOptions, string)[])
        [
            (new() { LockAfterConflicts = -1 }, "LockAfterConflicts"),
            (new() { Transaction = (ConflictRetryTransaction)7 }, "Transaction"),
            (new() { IsolationLevel = IsolationLevel.Chaos }, "IsolationLevel"),
        ])
        {
            var error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
                () => ShopFactory.Create(shop.ConnectionString).RetryOnConflictAsync((_, _) => Task.CompletedTask, options, Token));
            Assert.Equal(name, error.ParamName);
        }
    }

    private static Task<int> SaveAsync(ShopContext db, string text, CancellationToken token)
    {
        db.Add(new Plain { Text = text });
        return db.SaveChangesAsync(token);
    }

    private Task<long> CountAsync(string text) => shop.ScalarAsync<long>($"select count(*) from \"Plains\" where \"Text\" = '{text}'");

    private sealed class CommitInterceptor : DbTransactionInterceptor
    {
        public List<string> Seen { get; } = [];

        public Exception? Failure { get; init; }

        public override ValueTask<InterceptionResult> TransactionCommittingAsync(
            DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            Seen.Add("committing");
            return ValueTask.FromResult(result);
        }

        public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            Seen.Add("committed");
            return Failure is null ? Task.CompletedTask : Task.FromException(Failure);
        }
    }
}
