namespace EfConcurrency.Testing;

/// <summary>What happens to a commit on its way through a <see cref="FaultProxy"/>.</summary>
public enum CommitFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The connection is cut before the server receives the commit: it is rolled back.</summary>
    CutBefore,

    /// <summary>The server commits and answers; the connection is cut before the answer reaches the client.</summary>
    CutAfter,

    /// <summary>The server commits and answers; the answer never arrives, and the connection stays open.</summary>
    BlackHoleReply,

    /// <summary>The server never receives the commit, nor anything after it; the connection stays open.</summary>
    BlackHoleRequest,
}
