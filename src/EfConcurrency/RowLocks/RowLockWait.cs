using EfConcurrency.QueryPipeline;

namespace EfConcurrency.RowLocks;

/// <summary>What a query does about a row that someone else has locked. The default waits.</summary>
public readonly record struct RowLockWait : ILockWait
{
    private readonly LockWait _wait;

    private RowLockWait(LockWait wait) => _wait = wait;

    /// <summary>Waits until the row is free, for as long as the session's <c>lock_timeout</c> allows (by default without end).</summary>
    public static RowLockWait Default => default;

    /// <summary>Fails at once with <see cref="RowLockUnavailableException"/>; the transaction stays usable.</summary>
    public static RowLockWait NoWait => new(new(LockWaitKind.NoWait, 0));

    /// <summary>Leaves the row out of the result.</summary>
    public static RowLockWait SkipLocked => new(new(LockWaitKind.SkipLocked, 0));

    LockWait ILockWait.Value => _wait;

    /// <summary>
    /// Waits up to <paramref name="timeout"/> for each row, then fails with <see cref="RowLockUnavailableException"/>; the transaction
    /// stays usable. Costs a savepoint and four short statements in the round trip of the query. Each value is a query of its own in
    /// EF's cache: use few. A cancellation token bounds the whole query.
    /// </summary>
    /// <param name="timeout">From one millisecond to 24 days; parts of a millisecond are rounded up.</param>
    /// <returns>The way to wait.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is not positive, or too long.</exception>
    public static RowLockWait Wait(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero || timeout.TotalMilliseconds > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(
                nameof(timeout), timeout, "A time limit for a row lock is between 1 ms and 24 days. Use RowLockWait.NoWait to fail at once, RowLockWait.Default to wait without a limit.");
        }

        return new(new(LockWaitKind.WaitLimited, (int)Math.Ceiling(timeout.TotalMilliseconds)));
    }

    /// <summary>Describes the way to wait.</summary>
    /// <returns>For messages and logs.</returns>
    public override string ToString() => _wait.Kind switch
    {
        LockWaitKind.NoWait => "NoWait",
        LockWaitKind.SkipLocked => "SkipLocked",
        LockWaitKind.WaitLimited => $"Wait({TimeSpan.FromMilliseconds(_wait.Milliseconds)})",
        _ => "Default",
    };

    internal static RowLockWait Of(LockWait wait) => new(wait);
}
