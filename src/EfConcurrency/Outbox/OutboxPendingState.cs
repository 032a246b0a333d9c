namespace EfConcurrency.Outbox;

/// <summary>Why a message waits.</summary>
public enum OutboxPendingState : short
{
    /// <summary>Its delivery failed and will be tried again; or an earlier one of its key waits.</summary>
    Retry = 0,

    /// <summary>It was enqueued with a delay.</summary>
    Delayed = 1,

    /// <summary>It was given up: an operator decides.</summary>
    Dead = 2,
}
