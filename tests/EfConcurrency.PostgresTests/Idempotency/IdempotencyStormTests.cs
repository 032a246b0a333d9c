using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>
/// Three processes do the same operations, each in an order of its own and several at a time, as impatient clients and proxies have it; they are killed and
/// started again, sessions are ended, replies to commits are cut.
/// </summary>
public sealed class IdempotencyStormTests(CrashDatabase database) : IClassFixture<CrashDatabase>
{
    private const int Twins = 3;
    private const int Workers = 4;
    private const int Kills = 6;
    private const int Cuts = 11;
    private const int AnswersBeforeKill = 200;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_2100_keys_in_all_modes_each_has_one_effect_and_every_caller_is_told_the_same()
    {
        const int Keys = 2100;
        await using var proxy = database.StartProxy();
        var random = new Random(1);
        proxy.CommitFault = CommitFault.CutAfter;
        proxy.When = () =>
        {
            lock (random)
            {
                return random.Next(proxy.CommitFaultsInjected < Cuts ? 4 : 20) == 0; // how many commits are its, depends on the machine
            }
        };

        // One of them reaches the server through the proxy, which cuts replies to a COMMIT.
        var twins = Enumerable.Range(0, Twins).Select(i => Start(i == 0 ? proxy.ConnectionString : database.ConnectionString, Keys, withKey: true)).ToArray();
        var told = new List<string>();
        try
        {
            for (var kill = 0; kill < Kills; kill++)
            {
                var i = kill % Twins;
                await Eventually.IsTrueAsync(() => twins[i].Lines.Count > AnswersBeforeKill || twins[i].Process.HasExited);
                await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
                told.AddRange(await KillAsync(twins[i]));
                twins[i] = Start(i == 0 ? proxy.ConnectionString : database.ConnectionString, Keys, withKey: true);
            }

            foreach (var twin in twins)
            {
                await twin.WaitAsync(seconds: 300);
                Assert.True(twin.Process.ExitCode == 0, string.Join('\n', twin.Lines.TakeLast(20)));
                told.AddRange(twin.Lines);
            }
        }
        finally
        {
            foreach (var twin in twins)
            {
                await twin.DisposeAsync();
            }
        }

        var receipts = told.Select(l => l.Split('|')).Where(l => l is ["ack", _, _]).ToLookup(l => l[1], l => l[2]);
        Assert.Equal(Keys, receipts.Count);
        Assert.Empty(receipts.Where(r => r.Distinct().Count() > 1).Select(r => r.Key));
        Assert.Equal((Keys / 3 * 2, Keys / 3 * 2), await CountAsync("work"));
        Assert.Equal((Keys / 3, Keys / 3), await CountAsync("reserve"));
        Assert.Equal((Keys / 3, Keys / 3), await CountAsync("book"));
        Assert.Equal(Keys / 3, await database.ScalarAsync<long>("select count(*) from provider"));
        Assert.Equal(Keys, await database.ScalarAsync<long>("select count(*) from efc.idempotency_key where state = 1"));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{receipts.Sum(r => r.Count())} answers to {Keys} keys, {proxy.CommitFaultsInjected} replies cut, {Kills} kills, "
            + $"{await database.ScalarAsync<long>("select sum(calls) from provider")} calls of the provider for {Keys / 3} charges");
        Assert.True(receipts.Sum(r => r.Count()) > (Twins * Keys) + (Kills / 2 * AnswersBeforeKill), "Processes were killed before or after their work");
        Assert.True(proxy.CommitFaultsInjected >= Cuts, $"{proxy.CommitFaultsInjected} replies were cut");
    }

    /// <summary>The check would find what it looks for.</summary>
    [Fact]
    public async Task Without_a_key_the_same_operations_are_done_several_times()
    {
        const int Keys = 30;
        await using var own = await database.CreateDatabaseAsync();
        await HostProcess.RunAsync("IdempotencyHost", own.ConnectionString, "prepare");
        await HostProcess.RunAsync("IdempotencyHost", own.ConnectionString, "storm", $"{Keys}", $"{Workers}", "false");
        await HostProcess.RunAsync("IdempotencyHost", own.ConnectionString, "storm", $"{Keys}", $"{Workers}", "false");
        await using var connection = new Npgsql.NpgsqlConnection(own.ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new Npgsql.NpgsqlCommand("select count(*) - count(distinct \"Key\") from \"Effects\"", connection);
        Assert.Equal((long)Keys, await command.ExecuteScalarAsync(Token));
    }

    private static HostProcess Start(string connectionString, int keys, bool withKey)
        => HostProcess.Start("IdempotencyHost", connectionString, null, "storm", $"{keys}", $"{Workers}", withKey ? "true" : "false");

    private static async Task<IReadOnlyList<string>> KillAsync(HostProcess twin)
    {
        await twin.DisposeAsync();
        return twin.Lines;
    }

    /// <summary>Effects of a step: all, and those of different keys.</summary>
    private async Task<(long All, long Keys)> CountAsync(string step)
        => (await database.ScalarAsync<long>($"select count(*) from \"Effects\" where \"Step\" = '{step}' and \"Key\" not like 'warm%'"),
            await database.ScalarAsync<long>($"select count(distinct \"Key\") from \"Effects\" where \"Step\" = '{step}' and \"Key\" not like 'warm%'"));
}
