namespace EfConcurrency.Outbox;

/// <summary>Where a sink begins that is seen for the first time.</summary>
public enum OutboxStart
{
    /// <summary>With the oldest message that is still in the log (one to three days).</summary>
    Beginning,

    /// <summary>With the messages that are enqueued from now on.</summary>
    Now,
}
