using EfConcurrency.Outbox;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

/// <summary>A message that waits or is dead in a sink, and is about to be changed there.</summary>
internal sealed record MessagePlan(string Sink, OutboxMessageInfo Message, OutboxMessageDelivery Delivery)
{
    public Guid Id => Message.MessageId;

    /// <exception cref="EfcException">There is no such message or sink, or it is none that can be changed.</exception>
    public static async Task<MessagePlan> FindAsync(
        OperatorDatabase database, Guid id, string? sinkName, string verb, OutboxMessageState[] states, CancellationToken cancellationToken)
    {
        var sink = await SinkOption.ResolveAsync(database, sinkName, cancellationToken);
        var message = await database.Context.OutboxAdmin().FindAsync(id, cancellationToken) ?? throw MessageArgument.Unknown(id);
        return message.Sinks.FirstOrDefault(s => s.Sink == sink) is { } delivery && states.Contains(delivery.State) ? new(sink, message, delivery)
            : throw new EfcException(
                ExitCode.NotFound,
                $"Message {id} can't be {verb} in sink {sink}: it is {Words(message.Sinks.FirstOrDefault(s => s.Sink == sink)?.State)}. 'efc outbox show {id}' tells more.");
    }

    public string Describe() => $"Message {Id} ({Message.Type}{(Message.Key is { } key ? $", key {key}" : "")}) in sink {Sink} is {Words(Delivery.State)}"
        + $"{(Delivery.Attempts > 0 ? $" after {Human.Count(Delivery.Attempts, "attempt")}" : "")}{(Delivery.LastError is { } error ? $": {Human.Cut(error, 200)}" : "")}.";

    private static string Words(OutboxMessageState? state) => state switch
    {
        OutboxMessageState.Undelivered => "not delivered yet",
        OutboxMessageState.Retrying => "being retried",
        OutboxMessageState.Delayed => "waiting for its time",
        OutboxMessageState.Dead => "dead",
        _ => "delivered or purged",
    };
}
