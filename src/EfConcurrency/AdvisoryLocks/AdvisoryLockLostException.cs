using EfConcurrency.Resilience;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// The connection that held a session lock was lost, and the lock with it, before the work was done: somebody else may have worked at the same time.
/// What the work saved until then is saved.
/// </summary>
public sealed class AdvisoryLockLostException : Exception, IFinalRefusal
{
    internal AdvisoryLockLostException(AdvisoryKeySet keys, Exception? innerException)
        : base(
            $"The session that held the advisory lock on {keys} was lost, and the lock with it: another holder may have worked at the same time. "
            + "Look at what was saved before running the work again; a lease with a fencing token makes the database refuse the loser.",
            innerException)
        => Keys = keys;

    /// <summary>The keys of the call.</summary>
    public AdvisoryKeySet Keys { get; }
}
