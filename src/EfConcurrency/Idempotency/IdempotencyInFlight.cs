namespace EfConcurrency.Idempotency;

/// <summary>What a request does whose key is still being worked on.</summary>
public sealed class IdempotencyInFlight
{
    private IdempotencyInFlight(TimeSpan budget) => Budget = budget;

    /// <summary>Ends with <see cref="IdempotencyInProgressException"/>.</summary>
    public static IdempotencyInFlight Reject { get; } = new(TimeSpan.Zero);

    /// <summary>How long it waits at most; zero for <see cref="Reject"/>.</summary>
    public TimeSpan Budget { get; }

    /// <summary>Waits for the other, and then replays what it did. After the budget: <see cref="IdempotencyInProgressException"/>.</summary>
    /// <param name="budget">How long at most: 1 ms to 1 hour. The connection is held while an uncommitted transaction is waited for.</param>
    /// <returns>The policy.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The budget is out of its range.</exception>
    public static IdempotencyInFlight Wait(TimeSpan budget)
        => budget >= TimeSpan.FromMilliseconds(1) && budget <= TimeSpan.FromHours(1)
            ? new(budget)
            : throw new ArgumentOutOfRangeException(nameof(budget), budget, "The budget must be from 1 ms to 1 hour. To wait not at all, use IdempotencyInFlight.Reject.");
}
