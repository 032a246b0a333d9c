using System.CommandLine;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Idempotency;

internal sealed class IdempotencyListVerb : Verb
{
    private readonly Option<bool> _stuck = new("--stuck") { Description = "Operations that will not end by themselves; there is no other list." };
    private readonly Option<TimeSpan> _olderThan = DurationOption.Of("--older-than", "For how long the worker must be gone.", "0");
    private readonly Option<int> _count = CountOption.Create();

    public IdempotencyListVerb()
        : base("list", "Operations that need resolution, or whose worker is gone and nobody has asked again.")
    {
        Add(_stuck);
        Add(_olderThan);
        Add(_count);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        if (!session.Arguments.GetValue(_stuck))
        {
            throw new EfcException(ExitCode.Usage, "Say --stuck: there is no other list. 'efc idempotency show KEY' shows one.");
        }

        var database = await session.ConnectAsync(cancellationToken);
        var records = await database.Context.Idempotency().ListStuckAsync(session.Arguments.GetValue(_olderThan), session.Arguments.GetValue(_count), cancellationToken);
        var now = await database.ClockAsync(cancellationToken);
        session.Screen.List(
            [.. records.Select(r => KeyRow.Of(r, now))],
            "No operation is stuck.",
            ("key", k => k.Key),
            ("scope", k => k.Scope),
            ("state", k => k.State == KeyState.NeedsResolution ? "needs resolution" : "abandoned"),
            ("step", k => k.RecoveryPoint),
            ("attempts", k => $"{k.Attempts}"),
            ("claimed first", k => Human.Time(k.CreatedAt)),
            ("worker's time until", k => Human.Time(k.LockedUntil)));
        return ExitCode.Ok;
    }
}
