using EfConcurrency.Resilience;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>A lock of session scope was refused before it was taken, because it would protect nothing.</summary>
public sealed class SessionLockUnsafeException : InvalidOperationException, IFinalRefusal
{
    internal SessionLockUnsafeException(SessionLockRefusal reason)
        : base(reason switch
        {
            SessionLockRefusal.Standby =>
                "The server is a standby, which grants advisory locks that are held on the primary. Connect to the primary (Target Session Attributes=primary).",
            _ =>
                "A pooler (PgBouncer, or one like it) stands before the server: the process id it told at connecting is not that of the server process. With transaction or "
                + "statement pooling two clients would hold the same session lock, and nobody could release it. Use transaction scope, or a connection string that leads to the "
                + "server itself; set AllowSessionPooling only if the pooler's pool_mode is session.",
        })
        => Reason = reason;

    /// <summary>Why.</summary>
    public SessionLockRefusal Reason { get; }
}
