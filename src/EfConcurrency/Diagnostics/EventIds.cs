namespace EfConcurrency.Diagnostics;

/// <summary>
/// Ids of all log events, so that none is given twice. Append only: an id, once released, keeps its meaning.
/// EF Core uses 10000 to 39999.
/// </summary>
internal static class EventIds
{
    public const int VersionConflict = 60000;
    public const int RetryingAfterConflict = 60001;
    public const int RetriesExhausted = 60002;
    public const int RowsLockedBeforeRetry = 60003;
    public const int AfterCommitCallbackFailed = 60004;
    public const int CommitOutcomeChecked = 60100;
    public const int AdvisoryLockContended = 60500;
    public const int SessionLockLost = 60501;
    public const int AdvisoryLockNameNotRecorded = 60502;
}
