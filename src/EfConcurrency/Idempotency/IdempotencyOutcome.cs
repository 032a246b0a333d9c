namespace EfConcurrency.Idempotency;

/// <summary>What an operation led to, now or the first time.</summary>
/// <typeparam name="TResult">Type of the result.</typeparam>
public sealed class IdempotencyOutcome<TResult>
{
    private readonly TResult _result;

    internal IdempotencyOutcome(TResult result, bool isReplay, bool hasResult, DateTimeOffset? completedAt, long fence)
    {
        _result = result;
        IsReplay = isReplay;
        HasResult = hasResult;
        CompletedAt = completedAt;
        Fence = fence;
    }

    /// <summary>The result; on a replay, a copy of the first one's.</summary>
    /// <exception cref="InvalidOperationException">It was not kept; see <see cref="HasResult"/>.</exception>
    public TResult Result => HasResult
        ? _result
        : throw new InvalidOperationException(
            "The operation was done before, but its result was not kept: it was larger than MaxStoredBytes, or StoreBody is off. Ask HasResult first, and read the result from where the operation left it.");

    /// <summary>Whether the work was done before, and did not run now.</summary>
    public bool IsReplay { get; }

    /// <summary>Whether there is a result. Always so when the work ran now.</summary>
    public bool HasResult { get; }

    /// <summary>When the work was completed, by the database's clock; null when it was now.</summary>
    public DateTimeOffset? CompletedAt { get; }

    /// <summary>Number of the claim; rises when another takes over.</summary>
    public long Fence { get; }
}
