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

    /// <summary>Ties the spans and log messages of one acquisition together. On spans only.</summary>
    public const string LockId = "efconcurrency.lock.id";

    /// <summary><c>same_transaction</c>, <c>insert_last</c> or <c>two_phase</c>.</summary>
    public const string IdempotencyMode = "efconcurrency.idempotency.mode";

    /// <summary>Type name of a DbContext.</summary>
    public const string Context = "efconcurrency.context";

    /// <summary>OpenTelemetry's tag for the kind of a failure; unset on success.</summary>
    public const string ErrorType = "error.type";
}
