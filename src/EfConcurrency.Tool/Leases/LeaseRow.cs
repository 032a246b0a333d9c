using EfConcurrency.Leases;

namespace EfConcurrency.Tool.Leases;

/// <summary>A lease, as it is shown.</summary>
internal sealed record LeaseRow(string Name, LeaseState State, long FencingToken, string? Holder, DateTimeOffset? AcquiredAt, DateTimeOffset? RenewedAt, double? RemainingSeconds)
{
    public static LeaseRow Of(LeaseInfo lease) => new(
        lease.Name,
        lease.Holder is null ? LeaseState.Free : lease.IsHeld ? LeaseState.Held : LeaseState.Abandoned,
        lease.FencingToken,
        lease.HolderInfo,
        lease.AcquiredAt,
        lease.RenewedAt,
        lease.IsHeld && lease.Remaining < TimeSpan.MaxValue ? lease.Remaining.TotalSeconds : null);
}
