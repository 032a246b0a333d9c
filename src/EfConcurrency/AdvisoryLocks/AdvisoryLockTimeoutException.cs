namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// The lock was not free in time; the work did not run. A caller's transaction is as usable as before the call. Not a
/// <see cref="TimeoutException"/>, which an execution strategy would take for transient and wait for again and again.
/// </summary>
public sealed class AdvisoryLockTimeoutException : Exception
{
    internal AdvisoryLockTimeoutException(AdvisoryKeySet keys, TimeSpan timeout, Exception? innerException)
        : base(
            $"The advisory lock on {keys} was not free within {timeout.TotalSeconds:0.###} s; the work did not run. GetLockHoldersAsync tells who holds it. "
            + "Shorten what is done under the lock, wait longer (Timeout), or use TryWithAdvisoryLockAsync where giving up is no error.",
            innerException)
    {
        Keys = keys;
        Timeout = timeout;
    }

    /// <summary>The keys of the call.</summary>
    public AdvisoryKeySet Keys { get; }

    /// <summary>How long all keys together were waited for.</summary>
    public TimeSpan Timeout { get; }
}
