using EfConcurrency.Resilience;
using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>The server has committed and the reply never arrives: the same exception as when it has not.</summary>
public sealed class LostCommitReplyTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private const int Operations = 500;
    private const int Workers = 8;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CommitFault.CutAfter)]
    [InlineData(CommitFault.CutBefore)]
    public async Task A_unit_is_applied_once_whichever_side_of_the_commit_is_cut(CommitFault fault)
    {
        await using var proxy = shop.StartProxy();
        var factory = ShopFactory.Create(proxy.ConnectionString);
        var text = Guid.NewGuid().ToString();
        var callbacks = 0;
        var injected = proxy.FaultNextCommit(fault);

        await factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                db.Add(new Plain { Text = text });
                db.AfterCommit(_ =>
                {
                    callbacks++;
                    return Task.CompletedTask;
                });
                await db.SaveChangesAsync(token);
            },
            cancellationToken: Token);

        Assert.True(injected.IsCompleted);
        Assert.Equal(1, callbacks);
        Assert.Equal(1L, await CountAsync(text));
    }

    [Fact]
    public async Task A_unit_without_SaveChanges_is_settled_too()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        await using var proxy = shop.StartProxy();
        var factory = ShopFactory.Create(proxy.ConnectionString);
        var injected = proxy.FaultNextCommit(CommitFault.CutAfter);

        await factory.RetryOnConflictAsync(
            (db, token) => db.Counters.Where(c => c.Id == id).ExecuteUpdateAsync(s => s.SetProperty(c => c.Value, c => c.Value + 1), token),
            cancellationToken: Token);

        Assert.True(injected.IsCompleted);
        Assert.Equal(1, await shop.ScalarAsync<int>($"select \"Value\" from \"Counters\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task With_a_transaction_per_save_a_lost_reply_is_unknown_and_not_repeated()
    {
        // The fault falls on the next message that the server answers: that must be the save, not the DISCARD ALL of a pooled connection.
        await using var proxy = shop.StartProxy(c => c.NoResetOnClose = true);
        var factory = ShopFactory.Create(proxy.ConnectionString);
        var text = Guid.NewGuid().ToString();
        var attempts = 0;
        Task? injected = null;

        await Assert.ThrowsAsync<CommitOutcomeUnknownException>(() => factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                attempts++;
                await db.Plains.CountAsync(token);
                db.Add(new Plain { Text = text });
                injected = proxy.FaultNextBatch(CommitFault.CutAfter);
                await db.SaveChangesAsync(token);
            },
            new RetryOnConflictOptions { Transaction = ConflictRetryTransaction.PerSave },
            Token));

        Assert.True(injected!.IsCompleted);
        Assert.Equal(1, attempts);
        Assert.Equal(1L, await CountAsync(text));
    }

    [Fact]
    public async Task A_server_that_can_not_tell_leaves_the_outcome_unknown()
    {
        await using var db = shop.Open();
        var committed = (await shop.ScalarAsync<string>("select pg_current_xact_id()::text"))!;
        var timeline = await shop.ScalarAsync<string>("select substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)");
        Assert.Equal(CommitStatus.Committed, await CommitOutcome.AskAsync(db, new CommitTicket(committed, timeline), TimeProvider.System));

        // After a failover the same id may belong to another transaction.
        Assert.Equal(CommitStatus.Unknown, await CommitOutcome.AskAsync(db, new CommitTicket(committed, "FFFFFFFF"), TimeProvider.System));

        var future = await CommitOutcome.AskAsync(db, new CommitTicket("999999999999", timeline), TimeProvider.System);
        Assert.Equal(CommitStatus.Unknown, future);
    }

    [Fact]
    public async Task Of_500_operations_with_half_the_replies_cut_each_is_applied_once()
    {
        await using var proxy = HalfCut();
        var factory = ShopFactory.Create(proxy.ConnectionString);
        var run = Guid.NewGuid().ToString();

        await Parallel.ForEachAsync(Enumerable.Range(0, Operations), new ParallelOptions { MaxDegreeOfParallelism = Workers, CancellationToken = Token }, async (i, token) =>
            await factory.RetryOnConflictAsync(
                async (db, t) =>
                {
                    db.Add(new Plain { Text = $"{run} {i}" });
                    await db.SaveChangesAsync(t);
                },
                new RetryOnConflictOptions { MaxAttempts = 20 },
                token));

        var (rows, distinct) = await CountRunAsync(run);
        Assert.True(proxy.CommitFaultsInjected > Operations / 4, $"only {proxy.CommitFaultsInjected} replies were cut");
        Assert.Equal(Operations, distinct); // 0 lost
        Assert.Equal(Operations, rows); // 0 applied twice
    }

    [Fact]
    public async Task The_same_storm_with_a_plain_retry_does_apply_operations_twice()
    {
        await using var proxy = HalfCut();
        var factory = ShopFactory.Create(proxy.ConnectionString);
        var run = Guid.NewGuid().ToString();

        await Parallel.ForEachAsync(Enumerable.Range(0, Operations), new ParallelOptions { MaxDegreeOfParallelism = Workers, CancellationToken = Token }, async (i, token) =>
        {
            while (true)
            {
                try
                {
                    await using var db = await factory.CreateDbContextAsync(token);
                    await using var transaction = await db.Database.BeginTransactionAsync(token);
                    db.Add(new Plain { Text = $"{run} {i}" });
                    await db.SaveChangesAsync(token);
                    await transaction.CommitAsync(token);
                    return;
                }
                catch (Exception e) when ((e.GetBaseException() as NpgsqlException ?? e as NpgsqlException) is { IsTransient: true } || e.GetBaseException() is IOException)
                {
                    // What EnableRetryOnFailure does with it: once more.
                }
            }
        });

        var (rows, distinct) = await CountRunAsync(run);
        Assert.Equal(Operations, distinct);
        Assert.True(rows > distinct, "the control run applied nothing twice, so the test above proves nothing");
    }

    private FaultProxy HalfCut()
    {
        var proxy = shop.StartProxy();
        var random = new Random(42);
        proxy.When = () =>
        {
            lock (random)
            {
                return random.Next(2) == 0;
            }
        };
        proxy.CommitFault = CommitFault.CutAfter;
        return proxy;
    }

    private Task<long> CountAsync(string text) => shop.ScalarAsync<long>($"select count(*) from \"Plains\" where \"Text\" = '{text}'");

    private async Task<(long Rows, long Distinct)> CountRunAsync(string run)
        => (await shop.ScalarAsync<long>($"select count(*) from \"Plains\" where \"Text\" like '{run}%'"),
            await shop.ScalarAsync<long>($"select count(distinct \"Text\") from \"Plains\" where \"Text\" like '{run}%'"));
}
