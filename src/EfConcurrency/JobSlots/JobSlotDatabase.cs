using System.Data.Common;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.JobSlots;

/// <summary>The table of job slots on connections of its own: one command, one round trip, committed when it returns.</summary>
internal sealed class JobSlotDatabase
{
    private const string Purpose = "efconcurrency job slots";
    private const int MaxConnections = 4;

    private readonly SideConnections _connections;

    private JobSlotDatabase(JobSlotTable table, SideConnections connections, ILogger logger)
    {
        Table = table;
        _connections = connections;
        Logger = logger;
    }

    public JobSlotTable Table { get; }

    public ILogger Logger { get; }

    public static JobSlotDatabase Of(DbContext context)
        => new(JobSlotTable.Of(context), SideConnections.Of(context, Purpose, MaxConnections, Time(context)), LoggerOf(context));

    public static ILogger LoggerOf(DbContext context) => context.GetService<ILoggerFactory>().CreateLogger(JobSlotsLog.Category);

    public static async Task<IReadOnlyList<JobSlot>> ReadRowsAsync(string job, DbDataReader reader, CancellationToken cancellationToken)
    {
        var rows = new List<JobSlot>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            rows.Add(JobSlot.Read(job, reader));
        }

        return rows;
    }

    /// <summary>Where one connection broke, the others are dead too; after a failover they lead to what was the primary.</summary>
    public void DropIdleConnections() => _connections.ClearPool();

    /// <exception cref="JobSlotTableMissingException">The database has no such table.</exception>
    /// <exception cref="InvalidOperationException">The server is read-only.</exception>
    public async Task<T> RunAsync<T>(
        string sql, IReadOnlyList<SqlParameterValue> parameters, Func<DbDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await _connections.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var command = ContextCommand.Create(connection, sql, parameters);
                await using (command.ConfigureAwait(false))
                {
                    var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                    await using (reader.ConfigureAwait(false))
                    {
                        var result = await read(reader, cancellationToken).ConfigureAwait(false);
                        while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
                        {
                            // An error in a later statement shows only when its result is read.
                        }

                        return result;
                    }
                }
            }
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            throw JobSlotTableMissingException.NotInDatabase(Table.Name, error);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            DropIdleConnections();
            throw new InvalidOperationException(
                "Job slots can't be claimed on a server that is read-only: a standby, or one with default_transaction_read_only. Connect to the primary.", error);
        }
    }

    private static TimeProvider Time(DbContext context)
        => ((IInfrastructure<IServiceProvider>)context).Instance.GetService(typeof(TimeProvider)) as TimeProvider
            ?? throw new InvalidOperationException(
                $"'{context.GetType().Name}' has no UseEfConcurrency(), which job slots need. Call it on the context's options, beside UseNpgsql().");
}
