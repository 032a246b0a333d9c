using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Inbox;

/// <summary>Instruments of the room. Consumers and contracts are few, and named in the program.</summary>
internal static class InboxMeter
{
    private static readonly Counter<long> Messages = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.inbox.messages", "{message}", "Delivered messages, by what became of them.");

    private static readonly Counter<long> Duplicates = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.inbox.duplicates", "{message}", "Messages that had been accepted before.");

    private static readonly Histogram<double> Duration = Telemetry.Meter.CreateHistogram(
        "efconcurrency.inbox.handle.duration", "s", "Time from a delivery, of one message or of several together, to the end of its transaction.", advice: Telemetry.Seconds);

    private static readonly Counter<long> Removed = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.inbox.cleanup.partitions", "{partition}", "Partitions of the inbox that were due to be emptied, by whether they were.");

    private static readonly Counter<long> Deleted = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.inbox.cleanup.rows", "{row}", "Rows of ids without a day that were deleted from the inbox.");

    /// <param name="consumer">Name of the consumer.</param>
    /// <param name="type">Name of the contract.</param>
    /// <param name="outcome"><c>handled</c>, <c>duplicate</c>, <c>failed</c> or <c>rejected</c>.</param>
    /// <param name="failure">For the last two.</param>
    public static void Message(string consumer, string type, string outcome, Exception? failure = null)
    {
        var tags = new TagList { { TagNames.Consumer, consumer }, { TagNames.MessageType, type }, { TagNames.Outcome, outcome } };
        tags.AddFailure(failure);
        Messages.Add(1, tags);
    }

    public static void Duplicate(string consumer) => Duplicates.Add(1, new KeyValuePair<string, object?>(TagNames.Consumer, consumer));

    /// <param name="consumer">Name of the consumer.</param>
    /// <param name="outcome">As for a message, or <c>undone</c> or <c>cancelled</c>.</param>
    /// <param name="duration">Of the delivery.</param>
    /// <param name="failure">For <c>failed</c> and <c>rejected</c>.</param>
    public static void Handled(string consumer, string outcome, TimeSpan duration, Exception? failure)
    {
        var tags = new TagList { { TagNames.Consumer, consumer }, { TagNames.Outcome, outcome } };
        tags.AddFailure(failure);
        Duration.Record(duration.TotalSeconds, tags);
    }

    /// <param name="outcome"><c>emptied</c> or <c>busy</c>.</param>
    public static void Partition(string outcome) => Removed.Add(1, new KeyValuePair<string, object?>(TagNames.Outcome, outcome));

    public static void RowsDeleted(long rows) => Deleted.Add(rows);
}
