namespace EfConcurrency.Resilience;

/// <summary>What it takes to ask later whether a transaction was committed.</summary>
/// <param name="TransactionId">The transaction, an <c>xid8</c> as text.</param>
/// <param name="Timeline">The server's WAL timeline: after a failover, transaction ids may have been given out again.</param>
internal sealed record CommitTicket(string TransactionId, string Timeline)
{
    /// <summary>Of a transaction that is known to have written nothing: whether it is committed is all the same.</summary>
    public static readonly CommitTicket NothingWritten = new("", "");
}
