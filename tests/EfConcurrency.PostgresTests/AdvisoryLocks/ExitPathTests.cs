using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>However the work ends, no lock is left, and the context and its pool can be used again.</summary>
public sealed class ExitPathTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    public static TheoryData<AdvisoryLockScope, string> Paths => new(
        from scope in Enum.GetValues<AdvisoryLockScope>()
        from path in (string[])["returns", "throws", "is cancelled", "loses its connection", "loses the lock's session", "fails in SQL"]
        select new TheoryDataRow<AdvisoryLockScope, string>(scope, path));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task No_lock_is_left_when_the_work(AdvisoryLockScope scope, string path)
    {
        AdvisoryKey[] keys = [$"{scope} {path}", (path.Length, (int)scope)];
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        using var cancel = new CancellationTokenSource();

        var work = db.WithAdvisoryLockAsync(
            [.. keys],
            async (_, token) =>
            {
                Assert.Equal(1, await database.LocksAsync(keys[0]));
                Assert.Equal(1, await database.LocksAsync(keys[1]));
                switch (path)
                {
                    case "throws":
                        throw new KeyNotFoundException();
                    case "is cancelled":
                        await cancel.CancelAsync();
                        await db.Tallies.CountAsync(token);
                        break;
                    case "loses its connection":
                        await db.Tallies.CountAsync(token);
                        proxy.CutAll();
                        await db.Tallies.CountAsync(token);
                        break;
                    case "loses the lock's session":
                        await database.ExecuteAsync($"select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and ((classid::bigint << 32) | objid::bigint) = {keys[0].Number}");
                        await db.Tallies.CountAsync(token);
                        break;
                    case "fails in SQL":
                        await db.Database.ExecuteSqlAsync($"select 1 / 0", token);
                        break;
                }
            },
            new() { Scope = scope },
            cancel.Token);

        if (path == "returns")
        {
            await work;
        }
        else
        {
            await Assert.ThrowsAnyAsync<Exception>(() => work);
        }

        if (!path.StartsWith("loses", StringComparison.Ordinal))
        {
            Assert.Equal(0, await database.LocksAsync(keys[0]));
            Assert.Equal(0, await database.LocksAsync(keys[1]));
        }

        await database.UntilFreeAsync(keys[0]);
        await database.UntilFreeAsync(keys[1]);
        using (var pool = new NpgsqlConnection(proxy.ConnectionString))
        {
            NpgsqlConnection.ClearPool(pool); // after a cut, the pool may hold other connections that were cut
        }

        Assert.Equal(1, await db.WithAdvisoryLockAsync([.. keys], (_, _) => Task.FromResult(1), cancellationToken: Token));
    }
}
