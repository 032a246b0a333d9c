using EfConcurrency.Versioning;

namespace EfConcurrency.Inbox;

/// <summary>How the handlers of a consumer are run.</summary>
public sealed class MessageConsumerOptions
{
    /// <summary>
    /// Attempts, pauses, isolation level. With <see cref="ConflictRetryTransaction.PerSave"/> no transaction is opened: the message is accepted in the
    /// handler's one save, so that it costs one round trip where it costs three else. The handler then must write by <c>SaveChanges</c> alone, and
    /// runs, in vain, for duplicates too.
    /// </summary>
    /// <value>5 attempts, 10 ms to 500 ms, a transaction per message at read committed</value>
    public RetryOnConflictOptions Retry { get; set; } = new();
}
