using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>Check, lock, check again.</summary>
public sealed class ConditionTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_condition_that_does_not_hold_costs_no_lock()
    {
        AdvisoryKey key = "not asked for";
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open();
        Assert.Equal(AdvisoryLockStatus.ConditionNotMet, await db.WithAdvisoryLockAsync(key, _ => Task.FromResult(false), (_, _) => Task.CompletedTask, cancellationToken: Token));
    }

    [Theory]
    [InlineData(AdvisoryLockScope.Transaction)]
    [InlineData(AdvisoryLockScope.Session)]
    public async Task A_condition_that_no_longer_holds_under_the_lock_keeps_the_work_from_running(AdvisoryLockScope scope)
    {
        AdvisoryKey key = $"asked again {scope}";
        var name = $"made once {scope}";
        var options = new AdvisoryLockOptions { Scope = scope, Timeout = TimeSpan.FromMinutes(1) };

        async Task<AdvisoryLockStatus> MakeOnceAsync()
        {
            await using var db = database.Open();
            return await db.WithAdvisoryLockAsync(
                key,
                async token => !await db.Tallies.AnyAsync(t => t.Name == name, token),
                async (_, token) =>
                {
                    db.Add(new Tally { Name = name });
                    await db.SaveChangesAsync(token);
                },
                options,
                Token);
        }

        // Both find the condition met, and one waits for the other.
        var holder = await database.HoldAsync(key);
        Task<AdvisoryLockStatus>[] both = [MakeOnceAsync(), MakeOnceAsync()];
        await database.UntilWaitingForLocksAsync(2);
        await holder.DisposeAsync();

        Assert.Equal([AdvisoryLockStatus.Ran, AdvisoryLockStatus.ConditionNotMet], (await Task.WhenAll(both)).Order());
        Assert.Equal(1, await database.ScalarAsync<long>($"select count(*) from \"Tallies\" where \"Name\" = '{name}'"));
        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Fact]
    public async Task Trying_tells_busy_from_not_met_and_both_from_a_result()
    {
        AdvisoryKey key = "tried";
        await using var db = database.Open();
        Task<AdvisoryLockOutcome<int>> TryAsync(bool condition)
            => db.TryWithAdvisoryLockAsync(key, _ => Task.FromResult(condition), (_, _) => Task.FromResult(0), cancellationToken: Token);

        Assert.Equal(0, (await TryAsync(true)).Value);
        Assert.Equal(AdvisoryLockStatus.ConditionNotMet, (await TryAsync(false)).Status);
        await using var holder = await database.HoldAsync(key);
        Assert.Equal(AdvisoryLockStatus.Busy, (await TryAsync(true)).Status);
    }
}
