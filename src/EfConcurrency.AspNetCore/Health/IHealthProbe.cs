using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>One thing to look at. A room that wants to be watched adds its probe to <see cref="EfConcurrencyHealthCheck{TContext}"/>.</summary>
internal interface IHealthProbe
{
    /// <summary>Whether the model has what the probe looks at.</summary>
    bool AppliesTo(IModel model);

    /// <summary>Looks, and reports to <paramref name="report"/>. What it throws makes the check fail.</summary>
    Task ProbeAsync(HealthProbeReport report, CancellationToken cancellationToken);
}
