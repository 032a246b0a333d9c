namespace EfConcurrency.Leases;

/// <summary>The database could not be asked about a lease. Nothing is known to have changed.</summary>
public sealed class LeaseUnavailableException : Exception
{
    internal LeaseUnavailableException(string name, bool isReadOnlyServer, Exception inner)
        : base(
            isReadOnlyServer
                ? $"Lease '{name}': the server takes no writes (a standby, or a read-only database), and only the primary can say who holds a lease. Connect to the primary (Npgsql: Target Session Attributes=primary)."
                : $"Lease '{name}': the database could not be asked ({inner.Message}). A lease that is held stays so until its time is over.",
            inner)
    {
        Name = name;
        IsReadOnlyServer = isReadOnlyServer;
    }

    /// <summary>Name of the lease.</summary>
    public string Name { get; }

    /// <summary>Whether the server is a standby or read-only; else the connection failed.</summary>
    public bool IsReadOnlyServer { get; }
}
