using System.CommandLine;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

internal sealed class OutboxPurgeVerb : ChangingVerb<PurgePlan>
{
    private readonly Option<Moment?> _olderThan = Moment.Option("--older-than", "Only dead letters that were enqueued before this.");
    private readonly Option<string?> _sink = SinkOption.Create();

    public OutboxPurgeVerb()
        : base("purge", "Deletes dead letters for good. Messages that wait are left alone.")
    {
        _olderThan.Required = true;
        Add(_olderThan);
        Add(_sink);
    }

    protected override async Task<PurgePlan> PlanAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var sink = await SinkOption.ResolveAsync(database, session.Arguments.GetValue(_sink), cancellationToken);
        var before = session.Arguments.GetValue(_olderThan)!.Value.Resolve(await database.ClockAsync(cancellationToken));
        return new(sink, before, await DeadLetters.FindAsync(database, sink, DateTimeOffset.UnixEpoch, before, cancellationToken));
    }

    protected override string Target(PurgePlan plan) => plan.Sink;

    protected override IEnumerable<string> Describe(PurgePlan plan) =>
    [
        $"Enqueued before {Human.Time(plan.EnqueuedBefore)}: {Human.Count(plan.Ids.Length, "dead letter")} of sink {plan.Sink}.",
        "Purged, they are gone: nothing brings them back.",
    ];

    protected override async Task<string> ApplyAsync(Session session, PurgePlan plan, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var purged = await DeadLetters.Of(database, plan.Sink, plan.Ids).ExecuteDeleteAsync(cancellationToken);
        return $"Deleted: {Human.Count(purged, "dead letter")} of sink {plan.Sink}.";
    }
}
