namespace EfConcurrency.Resilience;

/// <summary>
/// The connection was lost while the transaction was being committed, and whether it was committed could not be found out; or it is
/// committed on this server, and the wait for a synchronous standby was cut short, so that a failover may lose it.
/// The work may have happened: don't run it again without looking. An idempotency key makes such work safe to repeat.
/// </summary>
public sealed class CommitOutcomeUnknownException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is known, and what to do.</param>
    /// <param name="transactionId">The transaction, as <c>pg_xact_status</c> takes it; null when it was not known.</param>
    /// <param name="innerException">The failure of the commit.</param>
    public CommitOutcomeUnknownException(string message, string? transactionId, Exception? innerException)
        : base(message, innerException)
        => TransactionId = transactionId;

    /// <summary>The transaction (<c>xid8</c>), for <c>select pg_xact_status(…)</c>; null when it was not known.</summary>
    public string? TransactionId { get; }
}
