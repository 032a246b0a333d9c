using EfConcurrency.Resilience;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>What became of the statement that takes locks.</summary>
/// <param name="How"><c>free</c>, <c>waited</c>, <c>busy</c>, <c>timeout</c>, <c>standby</c>, <c>snapshot</c> or <c>pooler</c>; of several keys, the worst.</param>
/// <param name="Ticket">Of a transaction of ours: what settles a lost reply to its commit.</param>
/// <param name="ProcessId">Of a session: the server process that holds the locks.</param>
internal sealed record LockReply(string How, CommitTicket? Ticket = null, int ProcessId = 0)
{
    /// <summary>Names the acquisition in spans and logs.</summary>
    public Guid Id { get; init; }

    public TimeSpan Waited { get; init; }

    /// <summary>The server's error that ended the wait.</summary>
    public Exception? WaitEndedBy { get; init; }

    /// <summary>All locks are held.</summary>
    public bool IsTaken => How is "free" or "waited";

    /// <summary>Not free in time.</summary>
    public bool IsBusy => How is "busy" or "timeout";

    /// <summary>Somebody else held a lock, or waited for it.</summary>
    public bool IsContended => How is "waited" || IsBusy;

    /// <summary>Of several keys, the worst counts.</summary>
    public static LockReply Worse(LockReply first, LockReply second) => Rank(first.How) >= Rank(second.How) ? first : second;

    private static int Rank(string how) => how switch { "free" => 0, "waited" => 1, "busy" => 2, _ => 3 };
}
