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

    /// <summary>
    /// Runs a command that may run twice. When the connection breaks, nobody knows whether the server has done it; it is sent once more, and
    /// finds what it has done. A connection that lay idle for hours, while the job ran, breaks too. Npgsql drops the other idle ones by itself.
    /// </summary>
    /// <exception cref="JobSlotTableMissingException">The database has no such table.</exception>
    /// <exception cref="InvalidOperationException">The server is read-only.</exception>
    public async Task<T> RunAsync<T>(
        string sql, IReadOnlyList<SqlParameterValue> parameters, Func<DbDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await RunOnceAsync(sql, parameters, read, cancellationToken).ConfigureAwait(false);
            }
            catch (NpgsqlException exception) when (IsLost(exception) && !cancellationToken.IsCancellationRequested)
            {
                return await RunOnceAsync(sql, parameters, read, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            throw JobSlotTableMissingException.NotInDatabase(Table.Name, error);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            // After a failover, idle connections lead to what was the primary.
            _connections.ClearPool();
            throw new InvalidOperationException(
                "Job slots can't be claimed on a server that is read-only: a standby, or one with default_transaction_read_only. Connect to the primary.", error);
        }
    }

    private async Task<T> RunOnceAsync<T>(
        string sql, IReadOnlyList<SqlParameterValue> parameters, Func<DbDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
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
                    return await read(reader, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private static bool IsLost(NpgsqlException exception)
        => exception is PostgresException error
            ? error.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            : exception.InnerException is IOException or null && exception.IsTransient;

    private static TimeProvider Time(DbContext context)
        => ((IInfrastructure<IServiceProvider>)context).Instance.GetService(typeof(TimeProvider)) as TimeProvider
            ?? throw new InvalidOperationException(
                $"'{context.GetType().Name}' has no UseEfConcurrency(), which job slots need. Call it on the context's options, beside UseNpgsql().");
}
