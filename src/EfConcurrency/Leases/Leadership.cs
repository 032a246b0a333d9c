namespace EfConcurrency.Leases;

/// <summary>The term of a leader, given to the body of a leader election.</summary>
public sealed class Leadership
{
    internal Leadership(Lease lease, IServiceProvider services)
    {
        Lease = lease;
        Services = services;
    }

    /// <summary>Name of the election.</summary>
    public string Name => Lease.Name;

    /// <summary>The lease under which this process leads: write under <c>db.UseLease(leadership.Lease)</c>.</summary>
    public Lease Lease { get; }

    /// <summary>Rises with every leader. Pass it to outside systems that can refuse an older one.</summary>
    public long FencingToken => Lease.FencingToken;

    /// <summary>Services of a scope that lasts as long as the term.</summary>
    public IServiceProvider Services { get; }
}
