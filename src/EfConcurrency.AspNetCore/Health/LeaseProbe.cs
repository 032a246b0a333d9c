using EfConcurrency.Leases;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>Leases whose holder is gone without a successor. One round trip.</summary>
internal sealed class LeaseProbe : IHealthProbe
{
    private const int Shown = 5;

    public bool AppliesTo(IModel model) => model.FindEntityType(typeof(LeaseRecord)) is not null;

    public async Task ProbeAsync(HealthProbeReport report, CancellationToken cancellationToken)
    {
        var leases = await report.Context.Leases().ListAsync(cancellationToken).ConfigureAwait(false);
        var abandoned = leases.Where(l => l is { IsHeld: false, Holder: not null } && report.DatabaseTime - (l.RenewedAt ?? l.AcquiredAt) > report.Options.MaxAbandonedLeaseAge).ToList();
        report.Data["leases.held"] = leases.Count(l => l.IsHeld);
        report.Data["leases.abandoned"] = abandoned.Count;
        if (abandoned.Count > 0)
        {
            report.Add(
                HealthStatus.Degraded,
                $"{abandoned.Count} lease(s) expired without being released, and nobody took them over: {string.Join(", ", abandoned.Take(Shown).Select(l => $"'{l.Name}'"))}.");
        }
    }
}
