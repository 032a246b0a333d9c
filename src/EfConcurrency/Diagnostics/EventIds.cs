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
    public const int FencingTokenRejected = 60200;
    public const int LeaseAcquired = 60300;
    public const int LeaseLost = 60301;
    public const int LeaseNotRenewed = 60302;
    public const int LeaseNotReleased = 60303;
    public const int LeaseForced = 60304;
    public const int LeaderElected = 60350;
    public const int LeadershipEnded = 60351;
    public const int NewLeader = 60352;
    public const int LeaderBodyFailed = 60353;
    public const int LeaderElectionFailed = 60354;
    public const int LeaderBodyIgnoresCancellation = 60355;
    public const int LeaderObserverFailed = 60356;
    public const int JobSlotClaimed = 60400;
    public const int JobSlotReclaimed = 60401;
    public const int JobSlotLost = 60402;
    public const int JobSlotHistoryDeleted = 60403;
    public const int AdvisoryLockContended = 60500;
    public const int SessionLockLost = 60501;
    public const int AdvisoryLockNameNotRecorded = 60502;
    public const int IdempotencyEnded = 60700;
    public const int IdempotencyTakenOver = 60701;
    public const int IdempotencyClaimLost = 60702;
    public const int IdempotencyNotExtended = 60703;
    public const int IdempotencyNotReleased = 60704;
    public const int IdempotencyNeedsResolution = 60705;
    public const int IdempotencyExpired = 60706;
    public const int IdempotencyStuck = 60707;
    public const int IdempotencyCleanupFailed = 60708;
    public const int IdempotencyErased = 60709;
    public const int IdempotencyResolved = 60710;
    public const int OutboxMessagesSaved = 60800;
    public const int OutboxMessagesForgotten = 60801;
    public const int OutboxLanesHeld = 60820;
    public const int OutboxLaneLost = 60821;
    public const int OutboxTransportDown = 60822;
    public const int OutboxTransportStillDown = 60823;
    public const int OutboxTransportUp = 60824;
    public const int OutboxDeadLetter = 60825;
    public const int OutboxSessionFailed = 60826;
    public const int OutboxCursorsAhead = 60827;
    public const int OutboxPartitionEmptied = 60828;
    public const int OutboxRetentionHeldBack = 60829;
    public const int OutboxRetentionFailed = 60830;
    public const int OutboxReseeded = 60831;
    public const int OutboxNotifyFailed = 60832;
    public const int InboxDuplicate = 60900;
    public const int InboxHandlerFailed = 60901;
    public const int InboxMessageRejected = 60902;
    public const int InboxOutcomeUnknown = 60903;
    public const int InboxBatchUndone = 60904;
    public const int InboxPartitionEmptied = 60905;
    public const int InboxRowsDeleted = 60906;
    public const int InboxCleanupFailed = 60907;
    public const int InboxCleanupNotPermitted = 60908;
}
