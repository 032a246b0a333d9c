using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>Operations that will not end by themselves. One round trip.</summary>
internal sealed class IdempotencyProbe : IHealthProbe
{
    public bool AppliesTo(IModel model) => model.FindEntityType(typeof(IdempotencyRecord)) is not null;

    public async Task ProbeAsync(HealthProbeReport report, CancellationToken cancellationToken)
    {
        var stuck = await report.Context.Idempotency().CountStuckAsync(report.Options.MaxStuckKeyAge, cancellationToken).ConfigureAwait(false);
        report.Data["idempotency.stuck"] = stuck;
        if (stuck > 0)
        {
            report.Add(HealthStatus.Degraded, $"{stuck} idempotent operation(s) will not end by themselves. db.Idempotency().ListStuckAsync(…) names them.");
        }
    }
}
