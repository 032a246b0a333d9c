using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Inbox;

/// <summary>Instruments of the room. Consumers and contracts are few, and named in the program.</summary>
internal static class InboxMeter
{
    private static readonly Counter<long> Messages = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.inbox.messages", "{message}", "Delivered messages, by what became of them.");

    private static readonly Histogram<double> Duration = Telemetry.Meter.CreateHistogram<double>(
        "efconcurrency.inbox.handle.duration", "s", "Time from a delivery, of one message or of several together, to the end of its transaction.");

    private static readonly Counter<long> Removed = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.inbox.cleanup.partitions", "{partition}", "Partitions of the inbox that were due to be emptied, by whether they were.");

    private static readonly Counter<long> Deleted = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.inbox.cleanup.rows", "{row}", "Rows of ids without a day that were deleted from the inbox.");

    /// <param name="consumer">Name of the consumer.</param>
    /// <param name="type">Name of the contract.</param>
    /// <param name="outcome"><c>handled</c>, <c>duplicate</c>, <c>failed</c>, <c>rejected</c> or <c>cancelled</c>.</param>
    public static void Message(string consumer, string type, string outcome)
        => Messages.Add(1, new(TagNames.Consumer, consumer), new(TagNames.MessageType, type), new(TagNames.Outcome, outcome));

    public static void Handled(string consumer, string outcome, TimeSpan duration)
        => Duration.Record(duration.TotalSeconds, new(TagNames.Consumer, consumer), new(TagNames.Outcome, outcome));

    /// <param name="outcome"><c>emptied</c>, <c>busy</c> or <c>failed</c>.</param>
    public static void Partition(string outcome) => Removed.Add(1, new KeyValuePair<string, object?>(TagNames.Outcome, outcome));

    public static void RowsDeleted(long rows) => Deleted.Add(rows);
}
