using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Locks;

internal sealed class LocksListVerb() : Verb("list", "Advisory locks that are held: by whom, for how long at most, and how many wait.")
{
    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var holders = await database.Context.GetLockHoldersAsync(cancellationToken);
        var now = await database.ClockAsync(cancellationToken);
        session.Screen.List(
            [.. holders.Select(h => LockRow.Of(h, now))],
            "No advisory lock is held.",
            ("lock", l => l.Lock),
            ("mode", l => l.Mode),
            ("pid", l => $"{l.Pid}"),
            ("application", l => l.Application),
            ("client", l => l.Client),
            ("session", l => l.State),
            ("for", l => Human.Duration(l.HeldSeconds)),
            ("waiting", l => $"{l.Waiting}"),
            ("longest", l => Human.Duration(l.LongestWaitSeconds)));
        return ExitCode.Ok;
    }
}
