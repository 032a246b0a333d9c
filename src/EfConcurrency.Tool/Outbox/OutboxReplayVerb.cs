using System.CommandLine;
using EfConcurrency.Outbox;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

internal sealed class OutboxReplayVerb : ChangingVerb<ReplayPlan>
{
    private readonly Argument<Guid?> _message = MessageArgument.CreateOptional();
    private readonly Option<Moment?> _since = Moment.Option("--dead-since", "All dead letters that were enqueued at or after this.");
    private readonly Option<Moment?> _until = Moment.Option("--until", "With --dead-since: only those that were enqueued before this.");
    private readonly Option<string?> _sink = SinkOption.Create();

    public OutboxReplayVerb()
        : base("replay", "Delivers a dead letter again, or a waiting message at once; or all dead letters of a time.")
    {
        Add(_message);
        Add(_since);
        Add(_until);
        Add(_sink);
    }

    protected override async Task<ReplayPlan> PlanAsync(Session session, CancellationToken cancellationToken)
    {
        var (since, untilMoment) = (session.Arguments.GetValue(_since), session.Arguments.GetValue(_until));
        if (session.Arguments.GetValue(_message) is null == since is null || (untilMoment is not null && since is null))
        {
            throw new EfcException(ExitCode.Usage, "Name either a message or --dead-since, the latter with or without --until.");
        }

        var database = await session.ConnectAsync(cancellationToken);
        var sinkName = session.Arguments.GetValue(_sink);
        if (session.Arguments.GetValue(_message) is { } id)
        {
            var message = await MessagePlan.FindAsync(
                database, id, sinkName, "replayed", [OutboxMessageState.Dead, OutboxMessageState.Retrying, OutboxMessageState.Delayed], cancellationToken);
            return new(message, message.Sink, default, default, Ids: []);
        }

        var sink = await SinkOption.ResolveAsync(database, sinkName, cancellationToken);
        var now = await database.ClockAsync(cancellationToken);
        var from = since!.Value.Resolve(now);
        var until = untilMoment?.Resolve(now) ?? now;
        var ids = await DeadLetters.FindAsync(database, sink, from, until, cancellationToken);
        return ids.Length > 0 ? new(null, sink, from, until, ids)
            : throw new EfcException(ExitCode.NotFound, $"Sink {sink} has no dead letter that was enqueued between {Human.Time(from)} and {Human.Time(until)}.");
    }

    protected override string Target(ReplayPlan plan) => plan.Message is { } message ? $"{message.Id}" : plan.Sink;

    protected override IEnumerable<string> Describe(ReplayPlan plan)
    {
        yield return plan.Message?.Describe() ?? $"Enqueued between {Human.Time(plan.From)} and {Human.Time(plan.Until)}: {Human.Count(plan.Ids.Length, "dead letter")} of sink {plan.Sink}.";
        yield return "Delivery begins anew, with no attempt counted, within a second of a dispatcher's time. Messages of the same key that were delivered meanwhile came before.";
    }

    protected override async Task<string> ApplyAsync(Session session, ReplayPlan plan, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        if (plan.Message is not { } message)
        {
            var replayed = await OutboxAdmin.ReplayAsync(DeadLetters.Of(database, plan.Sink, plan.Ids), cancellationToken);
            return $"Will be delivered to sink {plan.Sink}: {Human.Count(replayed, "message")}.";
        }

        return await database.Context.OutboxAdmin().ReplayAsync(plan.Sink, message.Id, cancellationToken)
            ? $"Message {message.Id} will be delivered to sink {plan.Sink}."
            : throw new EfcException(ExitCode.Changed, $"Message {message.Id} no longer waits in sink {plan.Sink}: it was delivered or purged meanwhile. Nothing was done.");
    }
}
