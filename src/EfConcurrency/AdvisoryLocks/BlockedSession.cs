namespace EfConcurrency.AdvisoryLocks;

/// <summary>A node of the blocking tree: a session, what it waits for, and who waits for it.</summary>
public sealed class BlockedSession
{
    internal BlockedSession(LockSession session, string? waitsFor, string? name, DateTimeOffset? since, IReadOnlyList<BlockedSession> blocks)
    {
        Session = session;
        WaitsFor = waitsFor;
        Name = name;
        Since = since;
        Blocks = blocks;
    }

    /// <summary>The session.</summary>
    public LockSession Session { get; }

    /// <summary>
    /// What it waits for: <c>advisory 4711</c>, <c>tuple "Orders"</c>, <c>transactionid</c> …; null for a root of the tree, which waits for nothing.
    /// </summary>
    public string? WaitsFor { get; }

    /// <summary>The name of the advisory lock that it waits for, as far as known.</summary>
    public string? Name { get; }

    /// <summary>Since when it waits.</summary>
    public DateTimeOffset? Since { get; }

    /// <summary>The sessions that wait for this one. A session that waits for several stands below one of them, as near to a root as it can.</summary>
    public IReadOnlyList<BlockedSession> Blocks { get; }

    /// <summary>For messages.</summary>
    /// <returns>The session and what it waits for.</returns>
    public override string ToString() => WaitsFor is null ? $"{Session}" : $"{Session} waits for {Name ?? WaitsFor}";
}
