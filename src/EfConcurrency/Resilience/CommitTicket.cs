namespace EfConcurrency.Resilience;

/// <summary>What it takes to ask later whether a transaction was committed.</summary>
/// <param name="TransactionId">The transaction, an <c>xid8</c> as text.</param>
/// <param name="Timeline">The server's WAL timeline: after a failover, transaction ids may have been given out again.</param>
internal sealed record CommitTicket(string TransactionId, string Timeline);
