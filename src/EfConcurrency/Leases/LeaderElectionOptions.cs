namespace EfConcurrency.Leases;

/// <summary>Settings of a leader election.</summary>
public sealed class LeaderElectionOptions
{
    /// <summary>How the lease is kept. After a crash of the leader the next is elected when its time to live is over.</summary>
    /// <value>15 seconds, renewed every 5</value>
    public LeaseOptions Lease { get; set; } = new() { TimeToLive = TimeSpan.FromSeconds(15) };

    /// <summary>How often a process that does not lead asks whether it may. Asking writes nothing.</summary>
    /// <value>1 second</value>
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// When leadership is lost and the body still runs after this long, the process is ended at once (<see cref="Environment.FailFast(string)"/>):
    /// the last means against a body that ignores its cancellation while another leads. Null: the process waits for the body, and does not
    /// stand for election meanwhile.
    /// </summary>
    /// <value><see langword="null"/></value>
    public TimeSpan? FailFastAfter { get; set; }

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(Lease);
        Lease.Check();
        if (!Lease.KeepAlive)
        {
            throw new ArgumentOutOfRangeException(nameof(Lease), "LeaderElectionOptions.Lease must have KeepAlive: a leader is renewed as long as its body runs.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(RetryInterval, TimeSpan.FromMilliseconds(10));
        if (FailFastAfter is { } patience)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(patience, TimeSpan.Zero, nameof(FailFastAfter));
        }
    }
}
