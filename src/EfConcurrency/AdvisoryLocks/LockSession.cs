namespace EfConcurrency.AdvisoryLocks;

/// <summary>A session of the server, as <c>pg_stat_activity</c> shows it.</summary>
public sealed class LockSession
{
    internal LockSession(int processId, DateTimeOffset? startedAt, DateTimeOffset? transactionStartedAt, string? applicationName, string? userName, string? clientAddress, string? state, string? statement)
    {
        ProcessId = processId;
        StartedAt = startedAt;
        TransactionStartedAt = transactionStartedAt;
        ApplicationName = applicationName;
        UserName = userName;
        ClientAddress = clientAddress;
        State = state;
        Statement = statement;
    }

    /// <summary>The server process; 0 for a prepared transaction, which has none.</summary>
    public int ProcessId { get; }

    /// <summary>When the session began.</summary>
    public DateTimeOffset? StartedAt { get; }

    /// <summary>When its transaction began; null between transactions.</summary>
    public DateTimeOffset? TransactionStartedAt { get; }

    /// <summary>What the client calls itself.</summary>
    public string? ApplicationName { get; }

    /// <summary>The role.</summary>
    public string? UserName { get; }

    /// <summary>Where the client is; null for a local socket. Behind a pooler: where the pooler is.</summary>
    public string? ClientAddress { get; }

    /// <summary><c>active</c>, <c>idle</c>, <c>idle in transaction</c> …</summary>
    public string? State { get; }

    /// <summary>The statement that runs, or ran last.</summary>
    public string? Statement { get; }

    /// <summary>For messages.</summary>
    /// <returns>Process id, application and state.</returns>
    public override string ToString() => ProcessId == 0 ? "a prepared transaction" : $"{ProcessId} {ApplicationName} ({State})";
}
