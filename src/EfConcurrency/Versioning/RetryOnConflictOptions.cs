using System.Data;
using EfConcurrency.Resilience;
using Polly;

namespace EfConcurrency.Versioning;

/// <summary>Settings of <c>RetryOnConflictAsync</c>. Make one and keep it: it holds the prepared retry pipeline.</summary>
public sealed class RetryOnConflictOptions : ConflictRetryOptions
{
    internal static readonly RetryOnConflictOptions Default = new();

    /// <summary>
    /// From this many conflicts on, an attempt begins by locking the rows that were lost before, and what else the refused attempt wrote
    /// unless that were more than 64 rows (<c>FOR NO KEY UPDATE</c>, save by save, in each by table and key): it can't lose them again,
    /// and takes its locks in the order in which first attempts do. Rows that all units of one place in the program write, and lose again and again, are locked
    /// from the first attempt on, as long as that goes on. 0: never.
    /// </summary>
    /// <value>1</value>
    public int LockAfterConflicts { get; init; } = 1;

    /// <summary>Whether the unit is one transaction or a single save.</summary>
    /// <value><see cref="ConflictRetryTransaction.PerUnit"/></value>
    public ConflictRetryTransaction Transaction { get; init; } = ConflictRetryTransaction.PerUnit;

    /// <summary>
    /// Isolation level of the transactions that the library opens. Rows are locked first only up to read committed: above it, one
    /// snapshot serves the whole transaction and would be older than the lock.
    /// </summary>
    /// <value><see cref="IsolationLevel.ReadCommitted"/></value>
    public IsolationLevel IsolationLevel { get; init; } = IsolationLevel.ReadCommitted;

    /// <summary>Called before each further attempt.</summary>
    /// <value>nothing</value>
    public Action<RetryOnConflictAttempt>? OnRetry { get; init; }

    internal bool HasSnapshotPerStatement => IsolationLevel is IsolationLevel.ReadCommitted or IsolationLevel.ReadUncommitted or IsolationLevel.Unspecified;

    internal ResiliencePipeline Pipeline => field ??= RetryPipeline.Create(MaxAttempts);

    internal override void Validate()
    {
        base.Validate();
        if (LockAfterConflicts < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(LockAfterConflicts), LockAfterConflicts, "LockAfterConflicts must not be negative. 0 never locks.");
        }

        if (!Enum.IsDefined(Transaction))
        {
            throw new ArgumentOutOfRangeException(nameof(Transaction), Transaction, "Transaction is PerUnit or PerSave.");
        }

        if (IsolationLevel == IsolationLevel.Chaos || !Enum.IsDefined(IsolationLevel))
        {
            throw new ArgumentOutOfRangeException(
                nameof(IsolationLevel), IsolationLevel, "PostgreSQL has no such IsolationLevel. Use ReadCommitted, RepeatableRead or Serializable.");
        }
    }
}
