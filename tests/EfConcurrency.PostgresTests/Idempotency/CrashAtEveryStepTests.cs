using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>
/// An operation is stopped at its first round trip to the server, then at the second, and so on until it comes to its end; each time a second process
/// is asked for the same. Whatever the first has left, there is one effect, and all who were told a result were told the same.
/// </summary>
public sealed class CrashAtEveryStepTests(CrashDatabase database) : IClassFixture<CrashDatabase>
{
    private const int MoreThanAnyHas = 40;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public enum Fault
    {
        /// <summary>SIGKILL before the server has received the request.</summary>
        KilledBefore,

        /// <summary>SIGKILL when the server has done what was asked, and the process has not heard of it.</summary>
        KilledAfter,

        /// <summary>The session is ended by an administrator before the request arrives.</summary>
        Terminated,

        /// <summary>The reply is cut: the process goes on.</summary>
        ReplyCut,
    }

    public static TheoryData<string, Fault, int> Cases()
    {
        var cases = new TheoryData<string, Fault, int>();
        foreach (var fault in Enum.GetValues<Fault>())
        {
            // The fewest steps in which each can be done; a fault that falls on none of them would prove nothing.
            cases.Add("SameTransaction", fault, 3);
            cases.Add("InsertLast", fault, 1);
            cases.Add("TwoPhase", fault, 7);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Stopped_at_any_step_it_is_done_once_and_everyone_is_told_the_same(string mode, Fault fault, int fewestSteps)
    {
        await using var second = await StartAsync(database.ConnectionString, mode);
        var first = default(Victim);
        try
        {
            for (var step = 0; step < MoreThanAnyHas; step++)
            {
                first ??= await Victim.StartAsync(database, mode);
                var key = $"{mode} {fault} {step}";
                var struck = first.Proxy.FaultNextBatch(Injected(fault), skip: step);
                await first.AskAsync(key);
                await Task.WhenAny(struck, first.UntilAnswersAsync(key)).WaitAsync(TimeSpan.FromMinutes(1), Token);
                var wasStruck = struck.IsCompleted;
                if (wasStruck && fault is Fault.KilledBefore or Fault.KilledAfter)
                {
                    await first.Host.Process.KillAsync(Token);
                }
                else if (wasStruck && fault == Fault.Terminated)
                {
                    await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like '%fault proxy%'");
                }

                await second.Process.StandardInput.WriteLineAsync(key);
                await second.Process.StandardInput.FlushAsync(Token);
                await second.UntilSaysAsync($"ack|{key}|");
                if (!wasStruck || fault is Fault.Terminated or Fault.ReplyCut)
                {
                    // It lives, and is told the result, or that its connection was lost.
                    await first.UntilAnswersAsync(key);
                }

                await CheckAsync(mode, key, first.Host, second);
                if (!wasStruck)
                {
                    Assert.Contains(first.Host.Lines, l => l.StartsWith($"ack|{key}|", StringComparison.Ordinal));
                    Assert.True(step >= fewestSteps, $"All of it was done in {step} steps");
                    return;
                }

                if (fault != Fault.ReplyCut || first.Host.Process.HasExited)
                {
                    // It is dead, or its pool is full of sessions that were ended.
                    await first.DisposeAsync();
                    first = null;
                }
            }
        }
        finally
        {
            await (first?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        Assert.Fail($"The operation has more than {MoreThanAnyHas} steps.");
    }

    private static CommitFault Injected(Fault fault) => fault switch
    {
        Fault.KilledAfter => CommitFault.BlackHoleReply,
        Fault.ReplyCut => CommitFault.CutAfter,
        _ => CommitFault.BlackHoleRequest,
    };

    private static async Task<HostProcess> StartAsync(string connectionString, string mode)
    {
        var host = HostProcess.Start("IdempotencyHost", connectionString, null, "serve", mode);
        await host.UntilSaysAsync("ready");
        return host;
    }

    private async Task CheckAsync(string mode, string key, HostProcess first, HostProcess second)
    {
        var told = first.Lines.Concat(second.Lines).Where(l => l.StartsWith($"ack|{key}|", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(told);
        Assert.Single(told.Distinct());
        var effects = await database.EffectsAsync(key);
        Assert.Equal(mode == "TwoPhase" ? new Dictionary<string, long> { ["reserve"] = 1, ["book"] = 1 } : new() { ["work"] = 1 }, effects);
    }

    /// <summary>The process to which it happens, behind a proxy of its own.</summary>
    private sealed class Victim(FaultProxy proxy, HostProcess host) : IAsyncDisposable
    {
        public FaultProxy Proxy => proxy;

        public HostProcess Host => host;

        public static async Task<Victim> StartAsync(CrashDatabase database, string mode)
        {
            var proxy = database.StartProxy(c => c.NoResetOnClose = true);
            return new(proxy, await CrashAtEveryStepTests.StartAsync(proxy.ConnectionString, mode));
        }

        public async Task AskAsync(string key)
        {
            await host.Process.StandardInput.WriteLineAsync(key);
            await host.Process.StandardInput.FlushAsync(Token);
        }

        public Task UntilAnswersAsync(string key) => Eventually.IsTrueAsync(() => host.Lines.Any(l => l.Contains($"|{key}|", StringComparison.Ordinal)) || host.Process.HasExited);

        public async ValueTask DisposeAsync()
        {
            await host.DisposeAsync();
            await proxy.DisposeAsync();
        }
    }
}
