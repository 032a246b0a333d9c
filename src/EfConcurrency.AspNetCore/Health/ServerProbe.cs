using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>The server: does it take writes, is its clock ours, is it the server itself that answers? One round trip; behind a pooler a few more.</summary>
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
                int process;
                var asked = report.Time.GetTimestamp();
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                    var trip = report.Time.GetElapsedTime(asked);
                    Role(report, isStandby: reader.GetBoolean(0), isReadOnly: reader.GetBoolean(1));
                    Clock(report, await reader.GetFieldValueAsync<DateTimeOffset>(2, cancellationToken).ConfigureAwait(false), trip);
                    process = reader.GetInt32(3);
                }

                Pooler(report, process == connection.ProcessID ? PoolerMode.None : await PoolerMode.FindAsync(connection, process, cancellationToken).ConfigureAwait(false));
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

    private static void Pooler(HealthProbeReport report, string mode)
    {
        report.Data["server.pooler"] = mode != PoolerMode.None;
        report.Data["server.pooler_mode"] = mode;
        if (mode != PoolerMode.None && !report.Options.AllowPooler)
        {
            report.Add(HealthStatus.Degraded, "A pooler stands between the application and the server: session locks are refused. Connect directly, or set AllowPooler.");
        }
        else if (mode == PoolerMode.Transaction && !report.Options.AllowTransactionPooling)
        {
            report.Add(
                HealthStatus.Degraded,
                "A pooler gives each transaction another server connection: what a session keeps (session locks, LISTEN, SET, prepared statements) is not the application's. "
                + "Let it pool by session (PgBouncer: pool_mode=session), connect directly, or set AllowTransactionPooling.");
        }
    }
}
