using System.CommandLine;
using EfConcurrency.Outbox;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

internal sealed class OutboxParkVerb : ChangingVerb<MessagePlan>
{
    private readonly Argument<Guid> _message = MessageArgument.Create();
    private readonly Option<string?> _sink = SinkOption.Create();

    public OutboxParkVerb()
        : base("park", "Takes a message that is retried or delayed out of delivery: it becomes a dead letter, and its key goes on.")
    {
        Add(_message);
        Add(_sink);
    }

    protected override async Task<MessagePlan> PlanAsync(Session session, CancellationToken cancellationToken)
        => await MessagePlan.FindAsync(
            await session.ConnectAsync(cancellationToken),
            session.Arguments.GetValue(_message),
            session.Arguments.GetValue(_sink),
            "parked",
            [OutboxMessageState.Retrying, OutboxMessageState.Delayed],
            cancellationToken);

    protected override string Target(MessagePlan plan) => $"{plan.Id}";

    protected override IEnumerable<string> Describe(MessagePlan plan) =>
    [
        plan.Describe(),
        $"Parked, it is a dead letter: 'efc outbox replay {plan.Id}' delivers it later."
            + (plan.Delivery.Following > 0 ? $" Unless dead letters hold their key, {Human.Count(plan.Delivery.Following, "later message")} of its key can go on." : ""),
    ];

    protected override async Task<string> ApplyAsync(Session session, MessagePlan plan, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        return await database.Context.OutboxAdmin().ParkAsync(plan.Sink, plan.Id, cancellationToken)
            ? $"Message {plan.Id} is parked in sink {plan.Sink}."
            : throw new EfcException(ExitCode.Changed, $"Message {plan.Id} no longer waits in sink {plan.Sink}: it was delivered or given up meanwhile. Nothing was done.");
    }
}
