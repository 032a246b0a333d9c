using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.Tool.Locks;

/// <summary>The holder that was seen, and is ended only if it still is the holder.</summary>
internal sealed record ReleasePlan(string Asked, AdvisoryLockHolder Holder, LockRow Row);
