using System.Collections.Frozen;
using EfConcurrency.AdvisoryLocks;
using EfConcurrency.AspNetCore.Idempotency;
using EfConcurrency.AspNetCore.Preconditions;
using EfConcurrency.Fencing;
using EfConcurrency.Idempotency;
using EfConcurrency.Inbox;
using EfConcurrency.JobSlots;
using EfConcurrency.Leases;
using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using EfConcurrency.QueryPipeline;
using EfConcurrency.Resilience;
using EfConcurrency.RowLocks;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.AspNetCore.Problems;

/// <summary>Every exception of the library: what the client is told, or that it is told nothing. docs/patterns/http.md has the table for readers.</summary>
internal static class ProblemTable
{
    public static readonly Problem MalformedHeader = new("malformed-header", 400, "A request header is malformed", "Send the header as its standard says.");

    public static readonly Problem PreconditionFailed = new(
        "precondition-failed", 412, "The resource has another version", "Read the resource again, decide anew, and send its new ETag in If-Match.");

    public static readonly Problem PreconditionRequired = new(
        "precondition-required", 428, "A precondition is required", "Send If-Match with the ETag of the version that was read.");

    /// <summary>The server gave the race to others, also after retries.</summary>
    public static readonly Problem TransactionConflict = new(
        "transaction-conflict", 409, "Other requests changed the same data", "Nothing was changed. Send the request again.") { MayBeRetried = true };

    private static readonly Problem VersionConflict = new(
        "version-conflict", 409, "Other requests changed the same data", "Nothing was changed. Send the request again.") { MayBeRetried = true };

    private static readonly Problem Busy = new(
        "resource-busy", 409, "Another request works on the same resource", "Nothing was changed. Send the request again.")
    {
        MayBeRetried = true,
        Wait = static e => e is LeaseNotAcquiredException { Remaining: var left } && left > TimeSpan.Zero && left < TimeSpan.FromHours(1) ? left : null,
    };

    public static readonly Problem ResponseNotKept = new(
        "response-not-kept", 409, "The operation was done before", "Its response was too large to be kept. Read what it led to; do not send it again with another key.");

    private static readonly Problem LockLost = new(
        "lock-lost", 503, "Exclusive access was lost", "The work was interrupted. Find out what was done before sending the request again.");

    private static readonly Problem Unavailable = new(
        "database-unavailable", 503, "The database can't serve the request now", "Nothing was changed. Send the request again.") { MayBeRetried = true };

    public static readonly FrozenDictionary<Type, Problem> OfType = new Dictionary<Type, Problem>
    {
        [typeof(MalformedHeaderException)] = MalformedHeader,
        [typeof(PreconditionFailedException)] = PreconditionFailed,
        [typeof(PreconditionRequiredException)] = PreconditionRequired,
        [typeof(IdempotencyKeyHeaderException)] = new(
            "idempotency-key-malformed", 400, "Idempotency-Key is missing or malformed", "Send one Idempotency-Key with 1 to 255 printable characters, such as a UUID: a new one with each new operation, the same with each repetition."),
        [typeof(InvalidIdempotencyKeyException)] = new(
            "idempotency-key-invalid", 400, "The idempotency key can't be used", "Use 1 to 255 printable characters, such as a UUID."),
        [typeof(IdempotencyKeyReusedException)] = new(
            "idempotency-key-reused", 422, "The key was used before with another request", "Nothing was done. Use a new key for a new operation; a repetition must be the same request."),
        [typeof(IdempotencyInProgressException)] = new(
            "idempotency-in-progress", 409, "The operation with this key is still being worked on", "Send the same request with the same key again.")
        {
            MayBeRetried = true,
            Wait = static e => (e as IdempotencyInProgressException)?.RetryAfter,
        },
        [typeof(IdempotencyNeedsResolutionException)] = new(
            "idempotency-needs-resolution", 409, "It is not known how far the operation with this key has come", "It is not run again by itself. The operator has to find out."),
        [typeof(IdempotencyClaimLostException)] = new(
            "idempotency-claim-lost", 409, "Another request has taken over the operation with this key", "Send the same request with the same key again.") { MayBeRetried = true },
        [typeof(InboxDuplicateException)] = new(
            "message-already-handled", 409, "The message was handled before", "Nothing was done again. Do not send it again."),
        [typeof(InboxMessageOutsideWindowException)] = new(
            "message-outside-window", 422, "The time in the message's id is too far away", "It can't be told whether the message was handled before. Send messages soon after their ids are made."),
        [typeof(RequestTooLargeException)] = new("request-too-large", 413, "The request body is too large", "Send a smaller one."),
        [typeof(VersionConflictException)] = VersionConflict,
        [typeof(LockedRowDeletedException)] = new("row-deleted", 409, "The resource was deleted meanwhile", "Nothing was changed. Read again."),
        [typeof(FencingTokenRejectedException)] = new(
            "fencing-token-rejected", 409, "Another process has taken over the resource", "Nothing was changed. Send the request again: the new holder will serve it.") { MayBeRetried = true },
        [typeof(LeaseLostException)] = LockLost,
        [typeof(LeaseNotAcquiredException)] = Busy,
        [typeof(LeaseUnavailableException)] = Unavailable,
        [typeof(AdvisoryLockTimeoutException)] = Busy,
        [typeof(AdvisoryLockDeadlockException)] = Busy,
        [typeof(AdvisoryLockTableFullException)] = Unavailable,
        [typeof(AdvisoryLockLostException)] = LockLost,
        [typeof(RowLockUnavailableException)] = Busy,
        [typeof(JobSlotLostException)] = new("job-slot-lost", 409, "Another process has taken over the job", "This run is over. The other one will complete the job."),
        [typeof(CommitOutcomeUnknownException)] = new(
            "outcome-unknown", 500, "It is not known whether the change was made", "Look whether it was made before sending the request again, unless it carries an Idempotency-Key."),
        [typeof(AfterCommitException)] = new(
            "follow-up-failed", 500, "The change was made, but what was to follow failed", "Do not send the request again."),
    }.ToFrozenDictionary();

    /// <summary>Mistakes of the program or its configuration. The client gets a plain 500; the log has the message, which says what to do.</summary>
    public static readonly FrozenSet<Type> NotForTheWire = new[]
    {
        typeof(AdvisoryKeyCollisionException),
        typeof(AdvisoryLockNotPossibleException),
        typeof(AdvisoryLockPermissionException),
        typeof(SessionLockUnsafeException),
        typeof(FencingConfigurationException),
        typeof(FencingTokenRequiredException),
        typeof(IdempotencyNotPossibleException),
        typeof(IdempotencyScopeException),
        typeof(IdempotencyTableMissingException),
        typeof(IdempotentResponseException),
        typeof(InboxTableMissingException),
        typeof(InboxTransactionRequiredException),
        typeof(JobSlotTableMissingException),
        typeof(LeaseTableMissingException),
        typeof(MessageHandlerNotFoundException),
        typeof(MessageRejectedException),
        typeof(MessageUnreadableException),
        typeof(OutboxMessageRefusedException),
        typeof(OutboxTableMissingException),
        typeof(UnsupportedBulkUpdateException),
        typeof(UnsupportedRowLockException),
        typeof(RetryNotPossibleException),
        typeof(RowLockTransactionRequiredException),
        typeof(RowLockUnsavedChangesException),
        typeof(VersionAssignedException),
        typeof(VersionConfigurationException),
    }.ToFrozenSet();

    /// <summary>The problem that an exception is, or null.</summary>
    public static Problem? Find(Exception exception)
    {
        var real = Unwrap(exception);
        return OfType.GetValueOrDefault(real.GetType()) ?? (IsLostRace(real) ? TransactionConflict : null);
    }

    /// <summary>Serialization failures and deadlocks, which EF hides in exceptions of its own (dotnet/efcore#33068).</summary>
    private static bool IsLostRace(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (NotForTheWire.Contains(e.GetType()))
            {
                return false;
            }

            if (e is PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected })
            {
                return true;
            }
        }

        return false;
    }

    private static Exception Unwrap(Exception exception) => exception switch
    {
        RetryLimitExceededException { InnerException: { } inner } => Unwrap(inner),
        AggregateException { InnerExceptions: [var only] } => Unwrap(only),
        _ => exception,
    };
}
