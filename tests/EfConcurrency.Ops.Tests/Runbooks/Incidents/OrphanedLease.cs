using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>A lease whose holder hangs: it is not released, renews nothing, and may wake up and write.</summary>
internal sealed class OrphanedLease : Incident
{
    private ShopContext? _holder;
    private Lease? _lease;

    /// <summary>The old holder wakes up: what it writes is refused from the moment the lease was broken, and only then.</summary>
    public override async Task CheckAsync(bool isActedUpon)
    {
        using var scope = _holder!.UseLease(_lease!);
        _holder!.Add(new Report { Id = 2, Text = "by the old holder" });
        if (!isActedUpon)
        {
            await _holder.SaveChangesAsync(Token);
            return;
        }

        var refused = await Assert.ThrowsAsync<FencingTokenRejectedException>(() => _holder.SaveChangesAsync(Token));
        Assert.True(refused.CurrentToken > _lease!.FencingToken);
        await using var next = Open();
        await using var taken = await next.Leases().AcquireAsync(ShopContext.Lease, TimeSpan.Zero, cancellationToken: Token);
        Assert.True(taken.FencingToken > _lease.FencingToken);
    }

    protected override async Task EndAsync() => await (_holder?.DisposeAsync() ?? default);

    protected override async Task StageAsync()
    {
        Names["LEASE"] = ShopContext.Lease;
        Signs["leases list"] = Signs["leases list --held"] = "worker-1";
        _holder = Open();
        _lease = await _holder.Leases().AcquireAsync(
            ShopContext.Lease, TimeSpan.Zero, new() { KeepAlive = false, TimeToLive = TimeSpan.FromHours(1), HolderInfo = "worker-1, which hangs" }, Token);
        using var scope = _holder.UseLease(_lease);
        _holder.Add(new Report { Id = 1, Text = "before" });
        await _holder.SaveChangesAsync(Token);
    }
}
