using System.CommandLine;
using EfConcurrency.Outbox;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

internal sealed class OutboxShowVerb : Verb
{
    private readonly Argument<Guid> _message = MessageArgument.Create();
    private readonly Option<bool> _payload = new("--payload") { Description = "Show the content too, up to 4096 octets. It may be private." };

    public OutboxShowVerb()
        : base("show", "A message: its place, its headers, and what became of it in each sink.")
    {
        Add(_message);
        Add(_payload);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var id = session.Arguments.GetValue(_message);
        var database = await session.ConnectAsync(cancellationToken);
        var found = await database.Context.OutboxAdmin().FindAsync(id, cancellationToken) ?? throw MessageArgument.Unknown(id);
        var message = MessageRow.Of(found, session.Arguments.GetValue(_payload));
        (string, string?)[] lines =
        [
            ("message", $"{message.MessageId}"),
            ("type", message.Type),
            ("topic", message.Topic),
            ("key", message.Key ?? "none: in no order"),
            ("enqueued", Human.Time(message.CreatedAt)),
            ("not before", Human.Time(message.DueAt)),
            ("place", message.Partition is { } partition ? $"id {message.Id} in lane {message.Lane}, partition {partition} of the log" : $"id {message.Id} in lane {message.Lane}; the log has lost it"),
            .. message.Headers.Select(h => ($"header {h.Key}", h.Value)),
            .. message.Sinks.SelectMany(Lines),
            ("content", message.Payload is null ? $"{message.PayloadBytes} octets (--payload shows them)" : message.Payload),
            ("", message.IsPayloadCut == true ? $"(cut: there are {message.PayloadBytes} octets)" : null),
        ];
        session.Screen.Details(message, lines);
        return ExitCode.Ok;
    }

    private static IEnumerable<(string, string?)> Lines(OutboxMessageDelivery sink)
    {
        var name = $"sink {sink.Sink}";
        yield return (name, sink.State switch
        {
            OutboxMessageState.Undelivered => "not delivered yet",
            OutboxMessageState.Delayed => "waits for its time",
            OutboxMessageState.Dead => $"dead after {Human.Count(sink.Attempts, "attempt")}",
            OutboxMessageState.Passed => "passed: delivered, not wanted by the sink, or purged",
            _ when sink.Behind is { } first && sink.Attempts == 0 => $"waits behind {first}, an earlier one of its key",
            _ => $"will be tried again after {Human.Count(sink.Attempts, "failed attempt")}",
        });
        yield return ($"{name}: next try", Human.Time(sink.DueAt));
        yield return ($"{name}: last error", sink.LastError?.ReplaceLineEndings(" "));
        yield return ($"{name}: holds up", sink.Following > 0 ? $"{Human.Count(sink.Following, "later message")} of its key" : null);
    }
}
