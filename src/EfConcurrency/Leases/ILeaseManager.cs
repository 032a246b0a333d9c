namespace EfConcurrency.Leases;

/// <summary>
/// Acquires leases on names. All decisions are the database's, by its clock; connections come from a small pool beside the context's. Needs
/// the context it comes from only for a moment: it may be kept, and used from several threads.
/// </summary>
public interface ILeaseManager
{
    /// <summary>Acquires the lease if it is free. One round trip; writes nothing when another holds it.</summary>
    /// <param name="name">What the lease protects, 1 to 200 characters.</param>
    /// <param name="options">How it is kept; default: 30 seconds, renewed in the background.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <returns>The lease, or why there is none.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="LeaseTableMissingException">The database has no lease table.</exception>
    Task<LeaseAcquisition> TryAcquireAsync(string name, LeaseOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Acquires the lease, waiting until it is free.</summary>
    /// <param name="name">What the lease protects, 1 to 200 characters.</param>
    /// <param name="wait">How long at most; <see cref="Timeout.InfiniteTimeSpan"/> for as long as it takes.</param>
    /// <param name="options">How it is kept; default: 30 seconds, renewed in the background.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The lease.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The wait is negative, or an option is out of its range.</exception>
    /// <exception cref="LeaseNotAcquiredException">It did not become free in time.</exception>
    /// <exception cref="LeaseTableMissingException">The database has no lease table.</exception>
    Task<Lease> AcquireAsync(string name, TimeSpan wait, LeaseOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Frees a lease whoever holds it, and raises its token, so that the database refuses the fenced writes of the holder from then on. For
    /// people: the holder is not asked, and notices at its next renewal.
    /// </summary>
    /// <param name="name">Name of the lease.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <returns>The new token and the last holder, or null when there is no lease of that name.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="LeaseUnavailableException">The database could not be asked.</exception>
    /// <exception cref="LeaseNotAcquiredException">A fenced transaction of the holder has been open for 10 seconds. End it, or wait.</exception>
    /// <exception cref="LeaseTableMissingException">The database has no lease table.</exception>
    Task<ForcedRelease?> ForceAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Reads a lease.</summary>
    /// <param name="name">Name of the lease.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <returns>What the database knows of it, or null when there is no lease of that name.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="LeaseUnavailableException">The database could not be asked.</exception>
    /// <exception cref="LeaseTableMissingException">The database has no lease table.</exception>
    Task<LeaseInfo?> DescribeAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Reads all leases, held or not.</summary>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <returns>The leases, by name.</returns>
    /// <exception cref="LeaseUnavailableException">The database could not be asked.</exception>
    /// <exception cref="LeaseTableMissingException">The database has no lease table.</exception>
    Task<IReadOnlyList<LeaseInfo>> ListAsync(CancellationToken cancellationToken = default);
}
