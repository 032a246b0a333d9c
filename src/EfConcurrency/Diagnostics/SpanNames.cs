namespace EfConcurrency.Diagnostics;

/// <summary>Names of the spans. Those about messages are named by OpenTelemetry's conventions instead: what is done, and where.</summary>
internal static class SpanNames
{
    public const string RetryOnConflict = "efconcurrency.retry_on_conflict";

    public const string LockAcquire = "efconcurrency.advisory_lock.acquire";

    public const string LockHold = "efconcurrency.advisory_lock.hold";

    public const string LeaseAcquire = "efconcurrency.lease.acquire";

    public const string JobSlotClaim = "efconcurrency.job_slot.claim";

    public const string Idempotency = "efconcurrency.idempotency";

    public const string InboxHandle = "efconcurrency.inbox.handle";
}
