namespace EfConcurrency.Diagnostics;

/// <summary>Tag names shared by metrics and spans. Values are of low cardinality: never a key, never a value of a row.</summary>
internal static class TagNames
{
    /// <summary>Display name of an entity type.</summary>
    public const string Entity = "efconcurrency.entity";

    /// <summary>Why a save was refused: <c>version</c> or <c>deleted</c>.</summary>
    public const string ConflictKind = "efconcurrency.conflict.kind";

    /// <summary>How an operation ended.</summary>
    public const string Outcome = "efconcurrency.outcome";

    /// <summary>What a lease protects: its name. For spans only.</summary>
    public const string Resource = "efconcurrency.resource";

    /// <summary>Number of the attempt, from 1.</summary>
    public const string Attempt = "efconcurrency.attempt";

    /// <summary>Name of a scheduled job.</summary>
    public const string Job = "efconcurrency.job";

    /// <summary>The kind of lock, as the caller names it.</summary>
    public const string LockResource = "efconcurrency.lock.resource";

    /// <summary><c>exclusive</c> or <c>shared</c>.</summary>
    public const string LockMode = "efconcurrency.lock.mode";

    /// <summary><c>transaction</c> or <c>session</c>.</summary>
    public const string LockScope = "efconcurrency.lock.scope";

    /// <summary><c>unlimited</c>, <c>limited</c>, <c>no_wait</c> or <c>skip_locked</c>.</summary>
    public const string LockWait = "efconcurrency.lock.wait";

    /// <summary>Ties the spans and log messages of one acquisition together. On spans only.</summary>
    public const string LockId = "efconcurrency.lock.id";

    /// <summary>Name of a consumer of messages.</summary>
    public const string Consumer = "efconcurrency.consumer";

    /// <summary>Name of a message's contract.</summary>
    public const string MessageType = "efconcurrency.message.type";

    /// <summary>The producer's id of a message. On spans only.</summary>
    public const string MessageId = "efconcurrency.message.id";

    /// <summary>Number of messages that are handled together. On spans only.</summary>
    public const string MessageCount = "efconcurrency.message.count";

    /// <summary>Name of an outbox's transport.</summary>
    public const string Sink = "efconcurrency.sink";

    /// <summary>What a message of the outbox waits for: <c>undelivered</c>, <c>retrying</c> or <c>delayed</c>.</summary>
    public const string OutboxState = "efconcurrency.outbox.state";

    /// <summary><c>same_transaction</c>, <c>insert_last</c> or <c>two_phase</c>.</summary>
    public const string IdempotencyMode = "efconcurrency.idempotency.mode";

    /// <summary>Type name of a DbContext.</summary>
    public const string Context = "efconcurrency.context";

    /// <summary>OpenTelemetry's tag for the kind of a failure; unset on success, and where a failure was handled.</summary>
    public const string ErrorType = "error.type";
}
