using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>The server: does it take writes, is its clock ours, is it the server itself that answers? One round trip.</summary>
internal sealed class ServerProbe : IHealthProbe
{
    public bool AppliesTo(IModel model) => true;

    public async Task ProbeAsync(HealthProbeReport report, CancellationToken cancellationToken)
    {
        await report.Context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var connection = (NpgsqlConnection)report.Context.Database.GetDbConnection();
            var command = new NpgsqlCommand(HealthSql.Server, connection);
            await using (command.ConfigureAwait(false))
            {
                var asked = report.Time.GetTimestamp();
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                    var trip = report.Time.GetElapsedTime(asked);
                    Role(report, isStandby: reader.GetBoolean(0), isReadOnly: reader.GetBoolean(1));
                    Clock(report, await reader.GetFieldValueAsync<DateTimeOffset>(2, cancellationToken).ConfigureAwait(false), trip);
                    Pooler(report, isPooled: reader.GetInt32(3) != connection.ProcessID);
                }
            }
        }
        finally
        {
            await report.Context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }

    private static void Role(HealthProbeReport report, bool isStandby, bool isReadOnly)
    {
        report.Data["server.role"] = isStandby ? "standby" : isReadOnly ? "read-only" : "primary";
        if (isStandby)
        {
            report.Add(HealthStatus.Unhealthy, "The server is a standby and takes no writes. Connect to the primary (Npgsql: Target Session Attributes=primary).");
        }
        else if (isReadOnly)
        {
            report.Add(HealthStatus.Unhealthy, "The server or the role is read-only (default_transaction_read_only), so every save will fail.");
        }
    }

    /// <summary>The answer was made somewhere within the round trip, so half of it is the uncertainty.</summary>
    private static void Clock(HealthProbeReport report, DateTimeOffset database, TimeSpan trip)
    {
        report.DatabaseTime = database;
        var skew = report.Time.GetUtcNow() - (trip / 2) - database;
        report.Data["server.clock_skew_ms"] = Math.Round(skew.TotalMilliseconds, 1);
        if (skew.Duration() - (trip / 2) > report.Options.MaxClockSkew)
        {
            report.Add(HealthStatus.Degraded, $"The clock of this machine is {Math.Abs(skew.TotalSeconds):0.#} s {(skew < TimeSpan.Zero ? "behind" : "ahead of")} the database's. Look at its time synchronisation.");
        }
    }

    private static void Pooler(HealthProbeReport report, bool isPooled)
    {
        report.Data["server.pooler"] = isPooled;
        if (isPooled && !report.Options.AllowPooler)
        {
            report.Add(HealthStatus.Degraded, "A pooler stands between the application and the server: session locks are refused. Connect directly, or set AllowPooler.");
        }
    }
}
