using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>What the probes found: the worst status, a sentence each, and the numbers.</summary>
internal sealed class HealthProbeReport(DbContext context, EfConcurrencyHealthOptions options, TimeProvider time)
{
    private readonly List<string> _findings = [];
    private HealthStatus _status = HealthStatus.Healthy;

    public DbContext Context => context;

    public EfConcurrencyHealthOptions Options => options;

    public TimeProvider Time => time;

    public Dictionary<string, object> Data { get; } = new(StringComparer.Ordinal);

    /// <summary>The database's clock; set by the first probe.</summary>
    public DateTimeOffset DatabaseTime { get; set; }

    public void Add(HealthStatus status, string finding)
    {
        _status = (HealthStatus)Math.Min((int)_status, (int)status);
        _findings.Add(finding);
    }

    public HealthCheckResult ToResult(HealthStatus failureStatus)
        => new(_status == HealthStatus.Unhealthy ? failureStatus : _status, _findings.Count == 0 ? null : string.Join(" ", _findings), data: Data);
}
