namespace EfConcurrency.Idempotency;

/// <summary>How one attempt ended, when not with an exception: with an outcome, or another is at work.</summary>
/// <param name="Outcome">The outcome; null when there is none yet.</param>
/// <param name="Kind">For the meter: <c>executed</c>, <c>taken_over</c>, <c>replayed</c>, <c>discarded</c>, <c>in_progress</c>.</param>
/// <param name="RetryAfter">When to ask again.</param>
/// <param name="Cause">What the server said.</param>
internal sealed record IdempotencyAttempt(IdempotencyOutcome<IdempotentResponse>? Outcome, string Kind, TimeSpan RetryAfter = default, Exception? Cause = null)
{
    /// <summary>What stood in the way was deleted at that moment: ask again at once.</summary>
    public static IdempotencyAttempt Again { get; } = new(null, "again");

    public static IdempotencyAttempt Executed(IdempotentResponse response, IdempotencyClaim claim) => new(
        new(response, isReplay: false, hasResult: true, completedAt: null, claim.Fence),
        response.Decision == IdempotentDecision.Discard ? "discarded" : claim.Attempts > 1 ? "taken_over" : "executed");

    public static IdempotencyAttempt Replayed(IdempotencyRow row, IdempotencyCall call) => new(
        new(StoredResponse.Read(row, call.Key, call.Options), isReplay: true, hasResult: row.Body is not null, row.CompletedAt, row.Fence),
        "replayed");

    public static IdempotencyAttempt InProgress(IdempotencyCall call, TimeSpan? leaseLeft, Exception? cause = null) => new(
        null,
        "in_progress",
        leaseLeft is { } left && left < call.Options.RetryAfter && left > TimeSpan.Zero ? left : call.Options.RetryAfter,
        cause);
}
