namespace EfConcurrency.Resilience;

/// <summary>What became of a commit whose reply was lost.</summary>
internal enum CommitStatus
{
    /// <summary>It could not be found out.</summary>
    Unknown,

    /// <summary>It was committed.</summary>
    Committed,

    /// <summary>It was rolled back.</summary>
    Aborted,
}
