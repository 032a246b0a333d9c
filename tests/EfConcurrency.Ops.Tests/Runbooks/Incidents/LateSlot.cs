using EfConcurrency.JobSlots;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>A nightly job whose runner was given the slot, and has given no sign of life since.</summary>
internal sealed class LateSlot : Incident
{
    private const string Job = "nightly-report";

    private static readonly DateTimeOffset Slot = new(2026, 1, 2, 3, 0, 0, TimeSpan.Zero);

    public override async Task CheckAsync(bool isActedUpon)
    {
        await using var shop = Open();
        Assert.Null(Assert.Single(await shop.JobSlots().HistoryAsync(Job, cancellationToken: Token)).CompletedAt);
    }

    protected override async Task StageAsync()
    {
        Names["JOB"] = Job;
        Signs["slots list --job JOB"] = "abandoned";
        await using var shop = Open();
        Assert.IsType<JobSlotResult.Claimed>(await shop.JobSlots().TryClaimAsync(Job, Slot, new() { Mode = JobSlotMode.AtLeastOnce, LeaseTime = TimeSpan.FromMinutes(5) }, Token));
        await shop.Database.ExecuteSqlAsync($"update efc.job_slot set claimed_at = claimed_at - interval '1 hour', expires_at = expires_at - interval '1 hour'", Token);
    }
}
