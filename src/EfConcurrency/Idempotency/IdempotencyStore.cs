using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace EfConcurrency.Idempotency;

/// <summary>
/// The keys of a database, for those who look after them. Works on connections of its own; does not need the context that it came from any more.
/// All members may be used by several threads.
/// </summary>
public sealed class IdempotencyStore
{
    private const string Purpose = "efconcurrency idempotency admin";
    private const int MaxConnections = 2;
    private const int BatchSize = 1000;

    private readonly IdempotencyTable _table;
    private readonly SideConnections _connections;
    private readonly ILogger _logger;

    internal IdempotencyStore(DbContext context)
    {
        var state = IdempotencyUnitState.Of(context);
        _table = IdempotencyTable.Of(context);
        _connections = SideConnections.Of(context, Purpose, MaxConnections, state.Time);
        _logger = state.Logger;
    }

    /// <summary>What stands for a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The row; null when the key is unknown or forgotten.</returns>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public async Task<IdempotencyRecord?> FindAsync(IdempotencyKey key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return (await QueryAsync(_table.AdminSql.Find, IdempotencyBatch.Key(key), cancellationToken).ConfigureAwait(false)).SingleOrDefault();
    }

    /// <summary>Operations that will not end by themselves: they need resolution, or their worker is gone and nobody has asked again. The oldest first.</summary>
    /// <param name="olderThan">For how long the worker must be gone.</param>
    /// <param name="take">At most how many.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The rows.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The age is negative, or <paramref name="take"/> not positive.</exception>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public async Task<IReadOnlyList<IdempotencyRecord>> ListStuckAsync(TimeSpan olderThan, int take = 100, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(take);
        return await QueryAsync(_table.AdminSql.Stuck, [IdempotencyBatch.Time(olderThan), IdempotencyBatch.Big(take)], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How many operations will not end by themselves; see <see cref="ListStuckAsync"/>.</summary>
    /// <param name="olderThan">For how long the worker must be gone.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The number.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The age is negative.</exception>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public Task<long> CountStuckAsync(TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        return SendAsync(
            _table.AdminSql.CountStuck,
            [IdempotencyBatch.Time(olderThan)],
            static async (command, token) => (long)(await command.ExecuteScalarAsync(token).ConfigureAwait(false))!,
            cancellationToken);
    }

    /// <summary>
    /// Deletes the expired keys, by the database's clock, in batches that commit by themselves. What is being worked on, or waits for a resolution, stays.
    /// Several processes may do it at the same time.
    /// </summary>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public async Task<long> DeleteExpiredAsync(CancellationToken cancellationToken = default)
    {
        var total = 0L;
        long deleted;
        do
        {
            deleted = await ExecuteAsync(_table.AdminSql.DeleteExpired, [IdempotencyBatch.Big(BatchSize)], cancellationToken).ConfigureAwait(false);
            total += deleted;
        }
        while (deleted == BatchSize);

        IdempotencyMeter.Expired(total);
        IdempotencyLog.Expired(_logger, total);
        return total;
    }

    /// <summary>
    /// Forgets the completed keys of a scope, with what is stored of their responses. An erased key that comes again is a new one, and its operation runs again.
    /// What is being worked on stays.
    /// </summary>
    /// <param name="scope">The scope.</param>
    /// <param name="includeUnfinished">Whether operations go too whose worker is gone, or that wait for a resolution.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>How many keys were erased.</returns>
    /// <exception cref="ArgumentException">The scope is empty.</exception>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public Task<long> EraseScopeAsync(string scope, bool includeUnfinished = false, CancellationToken cancellationToken = default)
        => EraseAsync(scope, isPrefix: false, includeUnfinished, cancellationToken);

    /// <summary>The same for all scopes that begin with a text, such as a tenant's.</summary>
    /// <param name="prefix">How the scopes begin; end it with your separator, so that "tenant 1" is not the beginning of "tenant 10".</param>
    /// <param name="includeUnfinished">Whether operations go too whose worker is gone, or that wait for a resolution.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>How many keys were erased.</returns>
    /// <exception cref="ArgumentException">The prefix is empty.</exception>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public Task<long> EraseScopesStartingWithAsync(string prefix, bool includeUnfinished = false, CancellationToken cancellationToken = default)
        => EraseAsync(prefix, isPrefix: true, includeUnfinished, cancellationToken);

    /// <summary>Ends an operation that needs resolution: it took effect, and from now on this response is replayed.</summary>
    /// <param name="key">The key.</param>
    /// <param name="response">The response. For a typed operation its body is the result's JSON.</param>
    /// <param name="options">Limits and protector, as for the operation.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Whether the operation needed resolution.</returns>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public async Task<bool> ResolveAsync(IdempotencyKey key, IdempotentResponse response, IdempotencyOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(response);
        var stored = StoredResponse.Of(response, key, options ?? IdempotencyOptions.Default);
        var isDone = await ExecuteAsync(_table.AdminSql.Resolve, [.. IdempotencyBatch.Key(key), .. IdempotencyBatch.Response(stored)], cancellationToken).ConfigureAwait(false) == 1;
        return Tell(key, isDone, "completed");
    }

    /// <summary>Lets an operation that needs resolution go on at the next call with its key: the step did not take effect, and runs again.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Whether the operation needed resolution.</returns>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public Task<bool> ResumeAsync(IdempotencyKey key, CancellationToken cancellationToken = default) => ResumeAsync(key, json: null, "the step runs again", cancellationToken);

    /// <summary>Lets an operation that needs resolution go on at the next call with its key: the step took effect, and this is its result.</summary>
    /// <typeparam name="TResult">Type of the step's result.</typeparam>
    /// <param name="key">The key.</param>
    /// <param name="result">The step's result; <see langword="true"/> for a step without one.</param>
    /// <param name="options">JSON settings and protector, as for the operation.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Whether the operation needed resolution.</returns>
    /// <exception cref="IdempotencyTableMissingException">The database has not the table of the model.</exception>
    public Task<bool> ResumeAfterStepAsync<TResult>(IdempotencyKey key, TResult result, IdempotencyOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return ResumeAsync(key, StepResults.Write(result, key, options ?? IdempotencyOptions.Default), "the step is done", cancellationToken);
    }

    private async Task<bool> ResumeAsync(IdempotencyKey key, string? json, string how, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        NpgsqlParameter result = new() { Value = (object?)json ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb };
        return Tell(key, await ExecuteAsync(_table.AdminSql.Resume, [.. IdempotencyBatch.Key(key), result], cancellationToken).ConfigureAwait(false) == 1, how);
    }

    private bool Tell(IdempotencyKey key, bool isDone, string how)
    {
        if (isDone)
        {
            IdempotencyLog.Resolved(_logger, key.Hash, how);
        }

        return isDone;
    }

    private async Task<long> EraseAsync(string text, bool isPrefix, bool includeUnfinished, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, isPrefix ? "prefix" : "scope");
        var erased = await ExecuteAsync(
            _table.AdminSql.Erase,
            [IdempotencyBatch.Text(IdempotencyAdminSql.Pattern(text, isPrefix)), new NpgsqlParameter<bool> { TypedValue = includeUnfinished }],
            cancellationToken).ConfigureAwait(false);
        IdempotencyLog.Erased(_logger, erased);
        return erased;
    }

    private Task<List<IdempotencyRecord>> QueryAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
        => SendAsync(
            sql,
            parameters,
            static async (command, token) =>
            {
                var rows = new List<IdempotencyRecord>();
                var reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    while (await reader.ReadAsync(token).ConfigureAwait(false))
                    {
                        rows.Add(IdempotencyRecord.Read(reader));
                    }
                }

                return rows;
            },
            cancellationToken);

    private Task<long> ExecuteAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
        => SendAsync(sql, parameters, static async (command, token) => (long)await command.ExecuteNonQueryAsync(token).ConfigureAwait(false), cancellationToken);

    private async Task<T> SendAsync<T>(string sql, NpgsqlParameter[] parameters, Func<NpgsqlCommand, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await _connections.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var command = new NpgsqlCommand(sql, connection);
                await using (command.ConfigureAwait(false))
                {
                    command.Parameters.AddRange(parameters);
                    return await run(command, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            throw IdempotencyTableMissingException.NotInDatabase(_table.Name, error);
        }
    }
}
