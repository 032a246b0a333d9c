namespace EfConcurrency.Versioning;

/// <summary>What became of an <c>ExecuteUpdateIfVersionAsync</c>.</summary>
public sealed class ConditionalUpdateResult
{
    internal static readonly ConditionalUpdateResult Updated = new(ConditionalUpdateOutcome.Updated, actualVersion: null, conflict: null);

    private readonly VersionConflict? _conflict;

    internal ConditionalUpdateResult(ConditionalUpdateOutcome outcome, object? actualVersion, VersionConflict? conflict)
    {
        Outcome = outcome;
        ActualVersion = actualVersion;
        _conflict = conflict;
    }

    /// <summary>How it ended.</summary>
    public ConditionalUpdateOutcome Outcome { get; }

    /// <summary>The version the row has, when it was found and not updated.</summary>
    public object? ActualVersion { get; }

    /// <summary>Throws unless the row was updated.</summary>
    /// <exception cref="VersionConflictException">The row has another version, or there is no such row.</exception>
    /// <exception cref="InvalidOperationException">The row does not meet the query's other conditions.</exception>
    public void EnsureUpdated()
    {
        if (_conflict is not null)
        {
            throw new VersionConflictException([_conflict], entries: [], inner: null);
        }

        if (Outcome == ConditionalUpdateOutcome.ConditionFailed)
        {
            throw new InvalidOperationException(
                $"The row has the expected version {ActualVersion}, but does not meet the other conditions of the query, so it was not updated. Look at {nameof(Outcome)} before.");
        }
    }
}
