namespace EfConcurrency.Versioning;

/// <summary>How <c>ExecuteUpdateIfVersionAsync</c> ended.</summary>
public enum ConditionalUpdateOutcome
{
    /// <summary>The row was updated.</summary>
    Updated,

    /// <summary>There is no row of this key.</summary>
    NotFound,

    /// <summary>The row has another version.</summary>
    Conflict,

    /// <summary>The row has the expected version, but does not meet the query's other conditions.</summary>
    ConditionFailed,
}
