using System.CommandLine;
using EfConcurrency.JobSlots;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Slots;

internal sealed class SlotsListVerb : Verb
{
    private const int LongestOutcome = 60;

    private readonly Option<string?> _job = new("--job") { Description = "Only this job." };
    private readonly Option<int> _count = CountOption.Create();

    public SlotsListVerb()
        : base("list", "The latest slots: who has them, and what became of them.")
    {
        Add(_job);
        Add(_count);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var job = session.Arguments.GetValue(_job);
        var now = await database.ClockAsync(cancellationToken);
        var slots = await database.Context.Set<JobSlot>().AsNoTracking().Where(s => job == null || s.Job == job)
            .OrderByDescending(s => s.SlotAt).ThenBy(s => s.Job).ThenBy(s => s.SlotNo).Take(session.Arguments.GetValue(_count)).ToListAsync(cancellationToken);
        session.Screen.List(
            [.. slots.Select(s => SlotRow.Of(s, now))],
            "No slot.",
            ("job", s => s.Job),
            ("slot", s => Human.Time(s.Slot) + (s.Runner > 0 ? $" #{s.Runner}" : "")),
            ("state", s => s.State.ToString().ToLowerInvariant()),
            ("attempt", s => $"{s.Attempt}"),
            ("claimed by", s => s.ClaimedBy),
            ("claimed", s => Human.Time(s.ClaimedAt)),
            ("since", s => Human.Duration(s.RunningSeconds)),
            ("completed", s => Human.Time(s.CompletedAt)),
            ("outcome", s => Human.Cut(s.Outcome, LongestOutcome)));
        return ExitCode.Ok;
    }
}
