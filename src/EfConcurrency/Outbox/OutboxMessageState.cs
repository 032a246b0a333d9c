namespace EfConcurrency.Outbox;

/// <summary>Where a message stands in one sink.</summary>
public enum OutboxMessageState
{
    /// <summary>The sink has not been given it yet.</summary>
    Undelivered,

    /// <summary>Its delivery failed and will be tried again; or an earlier one of its key waits.</summary>
    Retrying,

    /// <summary>It waits for its time.</summary>
    Delayed,

    /// <summary>It was given up, or parked: an operator decides.</summary>
    Dead,

    /// <summary>The sink is past it: it was delivered, is of a topic that the sink does not want, or was purged.</summary>
    Passed,
}
