namespace EfConcurrency.Leases;

/// <summary>
/// Is told of changes of leadership, in all elections of the process. Register implementations as services. What one throws is logged and
/// changes nothing.
/// </summary>
public interface INotifyLeadership
{
    /// <summary>This process is elected; its body starts when the task ends.</summary>
    /// <param name="change">The new term.</param>
    /// <param name="cancellationToken">Is cancelled when the term is over.</param>
    /// <returns>A task that ends when this was noted.</returns>
    ValueTask ElectedAsync(LeadershipChange change, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    /// <summary>The term of this process is over, and its body has ended. Comes only after <see cref="ElectedAsync"/>.</summary>
    /// <param name="change">The term that ended, and why.</param>
    /// <param name="cancellationToken">Is cancelled when the process gives up waiting.</param>
    /// <returns>A task that ends when this was noted.</returns>
    ValueTask EndedAsync(LeadershipChange change, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    /// <summary>There is a new leader: this process or another. A process that does not lead notices within its retry interval.</summary>
    /// <param name="change">The new term.</param>
    /// <param name="cancellationToken">Is cancelled when the process stops.</param>
    /// <returns>A task that ends when this was noted.</returns>
    ValueTask NewLeaderAsync(LeadershipChange change, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
}
