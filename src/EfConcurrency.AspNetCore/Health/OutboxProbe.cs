using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>Messages that are not delivered, late ones and dead ones. One round trip, and one for each sink.</summary>
internal sealed class OutboxProbe : IHealthProbe
{
    public bool AppliesTo(IModel model) => model.FindEntityType(typeof(OutboxRecord)) is not null;

    public async Task ProbeAsync(HealthProbeReport report, CancellationToken cancellationToken)
    {
        var admin = report.Context.OutboxAdmin();
        foreach (var sink in await admin.ListSinksAsync(cancellationToken).ConfigureAwait(false))
        {
            var lag = await admin.GetLagAsync(sink.Sink, cancellationToken).ConfigureAwait(false);
            report.Data[$"outbox.{lag.Sink}.oldest_seconds"] = Math.Round(lag.OldestAge?.TotalSeconds ?? 0, 1);
            report.Data[$"outbox.{lag.Sink}.dead"] = lag.Dead;
            if (lag.OldestAge > report.Options.MaxOutboxAge)
            {
                report.Add(HealthStatus.Degraded, $"The oldest message for '{lag.Sink}' has not been delivered for {lag.OldestAge.Value.TotalSeconds:0} s.");
            }

            if (lag.Dead > report.Options.MaxDeadLetters)
            {
                report.Add(HealthStatus.Degraded, $"{lag.Dead} message(s) for '{lag.Sink}' are dead letters. db.OutboxAdmin().ListDeadLettersAsync(\"{lag.Sink}\") names them.");
            }
        }
    }
}
