using Microsoft.Extensions.Logging;

namespace EfConcurrency.Leases;

/// <summary>Tells log and meter what becomes of leases.</summary>
internal sealed class LeaseReport(ILogger logger)
{
    public void Acquired(Lease lease)
    {
        LeaseMeter.Started(lease);
        LeaseLog.Acquired(logger, lease.Name, lease.FencingToken);
    }

    public void Lost(Lease lease, LeaseLoss loss)
    {
        LeaseMeter.Lost(loss);
        LeaseLog.Lost(logger, lease.Name, lease.FencingToken, loss);
    }

    public void NotRenewed(Lease lease, Exception failure)
    {
        LeaseMeter.RenewalFailed(failure);
        LeaseLog.NotRenewed(logger, lease.Name, lease.FencingToken, lease.Remaining.TotalSeconds, failure);
    }

    public void NotReleased(Lease lease, Exception failure) => LeaseLog.NotReleased(logger, lease.Name, lease.FencingToken, failure);

    public void Forced(string name, ForcedRelease forced) => LeaseLog.Forced(logger, name, forced.FencingToken, forced.HeldBy);
}
