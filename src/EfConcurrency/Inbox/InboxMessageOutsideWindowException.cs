using System.Globalization;
using EfConcurrency.Resilience;

namespace EfConcurrency.Inbox;

/// <summary>The time in a message's id lies outside of the inbox's window, so it can't be told any more, or not yet, whether the message was handled before. Nothing was accepted.</summary>
public sealed class InboxMessageOutsideWindowException : Exception, IFinalRefusal
{
    internal InboxMessageOutsideWindowException(string consumer, Guid messageId, DateTimeOffset sentAt, DateTimeOffset databaseTime, int windowDays, Exception? inner = null)
        : base(Describe(consumer, messageId, sentAt, databaseTime, windowDays), inner)
    {
        Consumer = consumer;
        MessageId = messageId;
        SentAt = sentAt;
        DatabaseTime = databaseTime;
        WindowDays = windowDays;
    }

    /// <summary>Who was to handle it.</summary>
    public string Consumer { get; }

    /// <summary>The message's id.</summary>
    public Guid MessageId { get; }

    /// <summary>The time in the id, by the producer's clock.</summary>
    public DateTimeOffset SentAt { get; }

    /// <summary>The time by the database's clock.</summary>
    public DateTimeOffset DatabaseTime { get; }

    /// <summary>The inbox's window in days, see <see cref="InboxTableOptions.WindowDays"/>.</summary>
    public int WindowDays { get; }

    /// <summary>True when the id is from the future (more than an hour), false when it is older than the window.</summary>
    public bool IsFromFuture => SentAt > DatabaseTime;

    private static string Describe(string consumer, Guid messageId, DateTimeOffset sentAt, DateTimeOffset databaseTime, int windowDays)
        => string.Create(
            CultureInfo.InvariantCulture,
            $"The id of message {messageId} for consumer '{consumer}' was made at {sentAt:u}; by the database's clock it is {databaseTime:u}. ")
            + (sentAt > databaseTime
                ? "The producer's clock is more than an hour ahead: set it right. The message can be handled when that time has come."
                : $"That is longer ago than the inbox remembers ({windowDays} days), so it can't be told whether it was handled. If it was not, send it again with a new id; if such delays are usual, give HasInbox() a longer window.");
}
