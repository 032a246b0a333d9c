using System.CommandLine;
using System.Globalization;
using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Locks;

internal sealed class LocksReleaseVerb : ChangingVerb<ReleasePlan>
{
    private readonly Argument<string> _lock = new("lock") { Description = "Name of the lock (of a namespace: namespace/name), its number, or its two numbers as 1,2." };
    private readonly Option<int?> _pid = new("--pid") { Description = "Which session, when several hold the lock (shared)." };

    public LocksReleaseVerb()
        : base("release", "Ends the session that holds an advisory lock: its transaction is rolled back, and the lock is free.")
    {
        Add(_lock);
        Add(_pid);
    }

    protected override async Task<ReleasePlan> PlanAsync(Session session, CancellationToken cancellationToken)
    {
        var asked = session.Arguments.GetValue(_lock)!;
        var pid = session.Arguments.GetValue(_pid);
        var database = await session.ConnectAsync(cancellationToken);
        var holders = (await database.Context.GetLockHoldersAsync(cancellationToken)).Where(h => IsMeant(h, asked)).ToList();
        var now = await database.ClockAsync(cancellationToken);
        if (holders.Count == 0)
        {
            throw new EfcException(ExitCode.NotFound, $"Nobody holds an advisory lock '{asked}'. 'efc locks list' shows those that are held.");
        }

        var chosen = pid is null ? holders : [.. holders.Where(h => h.Session.ProcessId == pid)];
        return chosen switch
        {
            [] => throw new EfcException(ExitCode.NotFound, $"Process {pid} does not hold '{asked}'; {Who(holders)} does."),
            [{ Session.ProcessId: 0 }] => throw new EfcException(
                ExitCode.NotFound, $"'{asked}' is held by a prepared transaction, which has no session. 'efc doctor' names it; COMMIT PREPARED or ROLLBACK PREPARED ends it."),
            [var one] => new(asked, one, LockRow.Of(one, now)),
            _ => throw new EfcException(ExitCode.Usage, $"'{asked}' is held by {chosen.Count} sessions: {Who(chosen)}. Choose one by --pid. Nothing was changed."),
        };
    }

    protected override string Target(ReleasePlan plan) => plan.Asked;

    protected override IEnumerable<string> Describe(ReleasePlan plan) =>
    [
        $"Lock {plan.Asked} ({plan.Row.Mode}) is held by process {plan.Row.Pid} {plan.Row.Application}, role {plan.Row.Role}, {plan.Row.State}, for {Human.Duration(plan.Row.HeldSeconds) ?? "an unknown time"} at most; {plan.Row.Waiting} waiting.",
        .. plan.Row.Statement is { } statement ? [$"Its last statement: {statement}"] : Array.Empty<string>(),
        "Releasing the lock ends this session; its transaction is rolled back, and its application may connect again.",
    ];

    protected override async Task<string> ApplyAsync(Session session, ReleasePlan plan, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        return await database.Context.TerminateHolderAsync(plan.Holder, cancellationToken)
            ? $"Session {plan.Row.Pid} is ended; lock {plan.Asked} is free."
            : throw new EfcException(
                ExitCode.Changed,
                $"Process {plan.Row.Pid} no longer holds lock {plan.Asked}, or does not end. Nothing else was ended; 'efc locks list' shows who holds it now.");
    }

    /// <summary>By its name; by the number of that name, where the name is not known; by its number.</summary>
    private static bool IsMeant(AdvisoryLockHolder holder, string asked)
        => holder.Name == asked || LockRow.Digits(holder.Key) == string.Concat(asked.Where(c => !char.IsWhiteSpace(c) && c is not ('(' or ')'))) || Keys(asked).Contains(holder.Key);

    private static IEnumerable<AdvisoryKey> Keys(string asked)
    {
        if (long.TryParse(asked, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) || string.IsNullOrWhiteSpace(asked))
        {
            yield break;
        }

        yield return AdvisoryKey.Of(asked);
        if (asked.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && slash < asked.Length - 1)
        {
            yield return AdvisoryKey.Of(asked[(slash + 1)..], asked[..slash]);
        }
    }

    private static string Who(IEnumerable<AdvisoryLockHolder> holders)
        => string.Join(", ", holders.Select(h => $"{h.Session.ProcessId} {h.Session.ApplicationName}".TrimEnd()));
}
