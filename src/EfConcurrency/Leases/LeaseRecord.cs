namespace EfConcurrency.Leases;

/// <summary>A row of the lease table, mapped by <c>HasLeases()</c>. Rows are never deleted: the token of a name must go on rising.</summary>
public sealed class LeaseRecord
{
    private LeaseRecord()
    {
    }

    /// <summary>Name of the lease: what it protects.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The token of the last acquisition; rises with each.</summary>
    public long FencingToken { get; private set; }

    /// <summary>The acquisition that holds the lease; null when it was released.</summary>
    public Guid? Holder { get; private set; }

    /// <summary>Who that is, for people: machine and process unless told otherwise.</summary>
    public string? HolderInfo { get; private set; }

    /// <summary>When it was acquired, by the database's clock.</summary>
    public DateTimeOffset? AcquiredAt { get; private set; }

    /// <summary>When it was last renewed, by the database's clock.</summary>
    public DateTimeOffset? RenewedAt { get; private set; }

    /// <summary>When it expires, by the database's clock; <see cref="DateTimeOffset.MinValue"/> when it was released.</summary>
    public DateTimeOffset ExpiresAt { get; private set; }
}
