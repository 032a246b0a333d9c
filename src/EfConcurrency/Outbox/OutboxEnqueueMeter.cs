using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Outbox;

/// <summary>Instruments of the side that enqueues. A contract's name is a tag: contracts are few, and named in the program.</summary>
internal static class OutboxEnqueueMeter
{
    private static readonly Counter<long> Messages = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.outbox.enqueued", "{message}", "Messages that a save wrote to the outbox.");

    private static readonly Histogram<long> PayloadSize = Telemetry.Meter.CreateHistogram(
        "efconcurrency.outbox.payload.size",
        "By",
        "Size of the payloads that a save wrote to the outbox.",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576] });

    private static readonly Counter<long> Refusals = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.outbox.refusals", "{message}", "Messages that could not be enqueued, by the reason.");

    /// <param name="messages">The messages.</param>
    /// <param name="count">How many of them, from the first, are saved.</param>
    public static void Saved(List<OutboxMessage> messages, int count)
    {
        if (!Messages.Enabled && !PayloadSize.Enabled)
        {
            return;
        }

        for (var i = 0; i < count; i++)
        {
            var type = new KeyValuePair<string, object?>(TagNames.MessageType, messages[i].Contract.Name);
            Messages.Add(1, type);
            PayloadSize.Record(messages[i].Payload.Length, type);
        }
    }

    public static void Refused(OutboxRefusal reason) => Refusals.Add(1, new KeyValuePair<string, object?>(TagNames.Outcome, Name(reason)));

    private static string Name(OutboxRefusal reason) => reason switch
    {
        OutboxRefusal.TypeNotRegistered => "type_not_registered",
        OutboxRefusal.NotSerializable => "not_serializable",
        OutboxRefusal.PayloadTooLarge => "payload_too_large",
        OutboxRefusal.InvalidKey => "invalid_key",
        OutboxRefusal.InvalidHeader => "invalid_header",
        OutboxRefusal.InvalidDelay => "invalid_delay",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, message: null),
    };
}
