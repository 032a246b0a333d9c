namespace EfConcurrency.Leases;

/// <summary>What this process knows of an election. A keyed service: its key is the name of the election.</summary>
public interface ILeaderElection
{
    /// <summary>Name of the election.</summary>
    string Name { get; }

    /// <summary>Whether this process leads and may trust that now.</summary>
    bool IsLeader { get; }

    /// <summary>The last leader that this process heard of; null before the first.</summary>
    LeadershipChange? Leader { get; }
}
