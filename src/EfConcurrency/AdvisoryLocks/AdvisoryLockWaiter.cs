namespace EfConcurrency.AdvisoryLocks;

/// <summary>A session that waits for an advisory lock.</summary>
public sealed class AdvisoryLockWaiter
{
    internal AdvisoryLockWaiter(AdvisoryLockMode mode, LockSession session, DateTimeOffset? since)
    {
        Mode = mode;
        Session = session;
        Since = since;
    }

    /// <summary>What it asks for.</summary>
    public AdvisoryLockMode Mode { get; }

    /// <summary>Who waits.</summary>
    public LockSession Session { get; }

    /// <summary>Since when; null in the first instant of a wait.</summary>
    public DateTimeOffset? Since { get; }
}
