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
            cases.Add("InsertLast", fault, 2);
            cases.Add("TwoPhase", fault, 7);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Stopped_at_any_step_it_is_done_once_and_everyone_is_told_the_same(string mode, Fault fault, int fewestSteps)
    {
        for (var step = 0; step < MoreThanAnyHas; step++)
        {
            var key = $"{mode} {fault} {step}";
            await using var proxy = database.StartProxy(c => c.NoResetOnClose = true);
            await using var first = HostProcess.Start("IdempotencyHost", proxy.ConnectionString, null, "once", mode, key);
            await first.UntilSaysAsync("ready");
            var struck = proxy.FaultNextBatch(
                fault switch
                {
                    Fault.KilledAfter => CommitFault.BlackHoleReply,
                    Fault.ReplyCut => CommitFault.CutAfter,
                    _ => CommitFault.BlackHoleRequest,
                },
                skip: step);
            await first.Process.StandardInput.WriteLineAsync("go");
            await first.Process.StandardInput.FlushAsync(Token);
            var ended = first.Process.WaitForExitAsync(Token);
            await Task.WhenAny(struck, ended).WaitAsync(TimeSpan.FromSeconds(60), Token);
            if (struck.IsCompleted)
            {
                await StrikeAsync(fault, first);
            }

            await using var second = HostProcess.Start("IdempotencyHost", database.ConnectionString, null, "once", mode, key);
            await second.EndAsync();
            if (fault is Fault.Terminated or Fault.ReplyCut)
            {
                // It lives, and may be told the result, or that its connection was lost.
                await first.WaitAsync();
            }

            await CheckAsync(mode, key, first, second);
            if (!struck.IsCompleted)
            {
                Assert.Equal(0, first.Process.ExitCode);
                Assert.True(step >= fewestSteps, $"All of it was done in {step} steps");
                return;
            }
        }

        Assert.Fail($"The operation has more than {MoreThanAnyHas} steps.");
    }

    private async Task StrikeAsync(Fault fault, HostProcess first)
    {
        if (fault is Fault.KilledBefore or Fault.KilledAfter)
        {
            await first.Process.KillAsync(Token);
        }
        else if (fault == Fault.Terminated)
        {
            await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like '%fault proxy%'");
        }
    }

    private async Task CheckAsync(string mode, string key, HostProcess first, HostProcess second)
    {
        var told = first.Lines.Concat(second.Lines).Where(l => l.StartsWith($"ack|{key}|", StringComparison.Ordinal)).ToList();
        Assert.True(second.Process.ExitCode == 0, string.Join('\n', second.Lines));
        Assert.NotEmpty(told);
        Assert.Single(told.Distinct());
        var effects = await database.EffectsAsync(key);
        Assert.Equal(mode == "TwoPhase" ? new Dictionary<string, long> { ["reserve"] = 1, ["book"] = 1 } : new() { ["work"] = 1 }, effects);
    }
}
