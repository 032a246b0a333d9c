using System.Globalization;
using EfConcurrency.Leases;
using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Run;

/// <summary>A lease: renewed by the library while the command runs.</summary>
internal sealed class LockClaim(Lease lease, TimeSpan patience, Screen screen) : IWorkClaim
{
    private bool _isEnded;

    public IReadOnlyDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>
    {
        ["EFC_LEASE"] = lease.Name,
        ["EFC_FENCING_TOKEN"] = lease.FencingToken.ToString(CultureInfo.InvariantCulture),
    };

    public CancellationToken Lost => lease.LostToken;

    public string Loss => $"Lease {lease.Name} (token {lease.FencingToken}) was lost: {(lease.Loss == LeaseLoss.TakenOver ? "another has acquired it, or it was broken." : "the database could not be reached in time to renew it.")}";

    /// <param name="leases">The database's.</param>
    /// <param name="name">Name of the lease.</param>
    /// <param name="options">How it is kept.</param>
    /// <param name="wait">How long at most.</param>
    /// <param name="conflictExitCode">When another holds it.</param>
    /// <param name="screen">For what is said afterwards.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="EfcException">Another holds it, or the name is none.</exception>
    public static async Task<LockClaim> TakeAsync(
        ILeaseManager leases, string name, LeaseOptions options, TimeSpan wait, int conflictExitCode, Screen screen, CancellationToken cancellationToken)
    {
        try
        {
            return new(await leases.AcquireAsync(name, wait, options, cancellationToken), options.TimeToLive, screen);
        }
        catch (LeaseNotAcquiredException notFree)
        {
            throw new EfcException(
                notFree.Outcome == LeaseOutcome.Unavailable ? ExitCode.NoConnection : conflictExitCode, $"{notFree.Message} The command was not run.", notFree);
        }
        catch (ArgumentException impossible)
        {
            throw new EfcException(ExitCode.Usage, impossible.Message, impossible);
        }
    }

    public async Task<bool> EndAsync(int exitCode)
    {
        _isEnded = true;
        if (Lost.IsCancellationRequested)
        {
            return false;
        }

        try
        {
            // Left alone when it takes longer than the lease: over a cut connection even a cancellation can hang.
            return await lease.ReleaseAsync(CancellationToken.None).WaitAsync(patience);
        }
        catch (Exception failure) when (failure is LeaseUnavailableException or LeaseTableMissingException or TimeoutException)
        {
            // The work was done under the lease.
            screen.Message($"efc: lease {lease.Name} could not be released, and runs out by itself: {failure.Message}");
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isEnded)
        {
            await EndAsync(exitCode: 1);
        }
    }
}
