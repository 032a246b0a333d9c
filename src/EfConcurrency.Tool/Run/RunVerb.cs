using System.CommandLine;
using System.CommandLine.Parsing;
using System.ComponentModel;
using System.Diagnostics;
using EfConcurrency.JobSlots;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Run;

/// <summary>What flock(1) is on one machine, for a script on many.</summary>
internal sealed class RunVerb : Verb
{
    private static readonly TimeSpan ShortestTimeToLive = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestTimeToLive = TimeSpan.FromDays(7);

    private readonly Option<string?> _lock = new("--lock") { HelpName = "name", Description = "Run it while holding the lease of this name: one at a time, on all machines." };
    private readonly Option<string?> _slot = new("--slot") { HelpName = "job", Description = "Run it once in each period (--every), on one machine. A command that fails may be run again." };
    private readonly Option<TimeSpan> _every = DurationOption.Of("--every", "With --slot: the period. Periods are counted in UTC, from Monday 2001-01-01.");
    private readonly Option<TimeSpan> _timeToLive = DurationOption.Of("--ttl", "After this long without a sign of life of efc, others may take over.", "30s");
    private readonly Option<TimeSpan> _wait = DurationOption.Of("--wait", "How long to wait while another has it.", "0");
    private readonly Option<TimeSpan> _grace = DurationOption.Of("--grace", "How long the command may take to end when the lease is lost; then it is killed.", "10s");
    private readonly Option<int> _conflict = new("--conflict-exit-code")
    {
        HelpName = "n", Description = "Exit code when another has it; with 0 nothing is said.", DefaultValueFactory = _ => ExitCode.Conflict,
    };

    private readonly Argument<string[]> _command = new("command") { Description = "After --: the command and its arguments.", Arity = ArgumentArity.OneOrMore };

    public RunVerb()
        : base("run", "Runs a command while a lease, or a job's slot, is kept. Its token is in EFC_FENCING_TOKEN.")
    {
        Add(_lock);
        Add(_slot);
        Add(_every);
        Add(_timeToLive);
        Add(_wait);
        Add(_grace);
        Add(_conflict);
        Add(_command);
    }

    /// <summary>Signals are the command's business: they must not end efc before it.</summary>
    public static InvocationConfiguration Invocation { get; } = new() { ProcessTerminationTimeout = null };

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        Check(session.Arguments);
        var command = session.Arguments.GetValue(_command)!;
        var program = ProgramFile.Find(command[0]);
        var target = new SignalTarget();
        using var signals = new SignalRelay(target);
        try
        {
            if (await TakeAsync(session, command[0], signals.Asked) is not { } claim)
            {
                return ExitCode.Ok;
            }

            await using (claim)
            {
                return signals.First is { } early ? ExitCode.OfSignal(early) : await RunUnderAsync(session, claim, program, command[1..], signals, target);
            }
        }
        catch (OperationCanceledException) when (signals.First is { } asked)
        {
            return ExitCode.OfSignal(asked);
        }
        catch (EfcException another) when (another.ExitCode == 0)
        {
            return ExitCode.Ok;
        }
    }

    /// <exception cref="EfcException">The call makes no sense.</exception>
    private void Check(ParseResult arguments)
    {
        var (name, job) = (arguments.GetValue(_lock), arguments.GetValue(_slot));
        var timeToLive = arguments.GetValue(_timeToLive);
        var problem = OperatingSystem.IsWindows() ? "efc run needs the signals of Unix."
            : name is null == job is null ? "Name either --lock or --slot."
            : job is null != (arguments.GetValue(_every) == TimeSpan.Zero) ? "--slot and --every (longer than 0) go together: a slot is one of a period."
            : timeToLive < ShortestTimeToLive || timeToLive > LongestTimeToLive ? "--ttl must be from 500ms to 7d."
            : arguments.GetValue(_conflict) is < 0 or > 255 ? "--conflict-exit-code must be from 0 to 255."
            : arguments.Tokens.All(t => t.Type != TokenType.DoubleDash) ? "Put -- before the command, so that its options are not taken for those of efc."
            : null;
        if (problem is not null)
        {
            throw new EfcException(ExitCode.Usage, problem);
        }
    }

    private async Task<IWorkClaim?> TakeAsync(Session session, string command, CancellationToken cancellationToken)
    {
        var arguments = session.Arguments;
        var database = await session.ConnectAsync(cancellationToken);
        var (wait, conflict, timeToLive) = (arguments.GetValue(_wait), arguments.GetValue(_conflict), arguments.GetValue(_timeToLive));

        // The name of the command alone: there may be secrets among its arguments.
        var info = Human.Cut($"{Environment.MachineName}/{Environment.ProcessId} efc run {Path.GetFileName(command)}", 200);
        return arguments.GetValue(_lock) is { } name
            ? await LockClaim.TakeAsync(database.Context.Leases(), name, new() { TimeToLive = timeToLive, HolderInfo = info }, wait, conflict, session.Screen, cancellationToken)
            : await SlotClaim.TakeAsync(
                database.Context.JobSlots(),
                arguments.GetValue(_slot)!,
                SlotPeriod.SlotAt(arguments.GetValue(_every), await database.ClockAsync(cancellationToken)),
                new() { Mode = JobSlotMode.AtLeastOnce, LeaseTime = timeToLive, Info = info },
                wait,
                conflict,
                cancellationToken);
    }

    private async Task<int> RunUnderAsync(Session session, IWorkClaim claim, string program, string[] arguments, SignalRelay signals, SignalTarget target)
    {
        using var command = Start(program, arguments, claim);
        signals.PassTo(command);
        var ended = command.WaitForExitAsync(CancellationToken.None);
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = claim.Lost.Register(lost.SetResult);
        if (await Task.WhenAny(ended, lost.Task) != ended)
        {
            var grace = session.Arguments.GetValue(_grace);
            session.Screen.Error($"{claim.Loss} The command gets SIGTERM, and SIGKILL if it has not ended within {Human.Duration(grace)}.");
            target.Send(command, Posix.Terminate);
            if (await Task.WhenAny(ended, Task.Delay(grace, CancellationToken.None)) != ended)
            {
                command.Kill(entireProcessTree: true);
                await ended;
            }

            return ExitCode.LeaseLost;
        }

        if (!await claim.EndAsync(command.ExitCode))
        {
            session.Screen.Error($"{claim.Loss} The command had ended with {command.ExitCode}; what it did last may have been done by another too.");
            return ExitCode.LeaseLost;
        }

        return command.ExitCode;
    }

    /// <summary>With stdin, stdout, stderr and the terminal of efc.</summary>
    private static Process Start(string program, string[] arguments, IWorkClaim claim)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false };
        foreach (var (name, value) in claim.Environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception refused)
        {
            throw new EfcException(ExitCode.NotExecutable, $"{program} can't be executed: {refused.Message}", refused);
        }
    }
}
