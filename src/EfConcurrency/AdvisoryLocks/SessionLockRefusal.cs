namespace EfConcurrency.AdvisoryLocks;

/// <summary>Why a session lock would not be safe.</summary>
public enum SessionLockRefusal
{
    /// <summary>A pooler stands between client and server.</summary>
    Pooler,

    /// <summary>The server is a standby: its locks are its own, and the primary knows nothing of them.</summary>
    Standby,
}
