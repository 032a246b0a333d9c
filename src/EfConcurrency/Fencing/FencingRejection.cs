using System.Data.Common;
using System.Globalization;
using EfConcurrency.Postgres;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.Fencing;

/// <summary>Finds out whether a write was refused by a fence, and by whose token.</summary>
internal sealed class FencingRejection(FencingScope scope, ISqlGenerationHelper sql, IRelationalTypeMappingSource mappings, FencingReport report)
{
    /// <summary>The exception of a refused save, or null when no fence refused it.</summary>
    public async ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException exception, bool async, CancellationToken cancellationToken)
    {
        if (SqlStates.FindPostgresException(exception) is { } error)
        {
            return Explain(error, exception);
        }

        if (exception is not DbUpdateConcurrencyException)
        {
            return null;
        }

        try
        {
            return await FindStaleLeaseAsync(save.Context, exception, async, cancellationToken).ConfigureAwait(false)
                ?? await FindNewerRowAsync(save, exception, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            // Who holds it now is a courtesy. If that can't be read, the refusal stands as it is.
            return null;
        }
    }

    /// <summary>What a trigger or the presenting function raised, as an exception of the library; null for any other error.</summary>
    public Exception? Explain(PostgresException error, Exception inner)
    {
        switch (error.SqlState)
        {
            case SqlStates.FencingTokenRejected:
                return report.Told(new FencingTokenRejectedException(
                    error.ConstraintName ?? "", Number(error.ColumnName), Number(error.DataTypeName), string.IsNullOrEmpty(error.Hint) ? null : error.Hint, inner: inner));
            case SqlStates.FencingTokenRequired:
                return new FencingTokenRequiredException(error.ConstraintName ?? "", entityType: null, inner);
            default:
                return null;
        }
    }

    private async ValueTask<Exception?> FindStaleLeaseAsync(DbContext context, Exception inner, bool async, CancellationToken cancellationToken)
    {
        if (FencingModel.Of(context.Model, sql).TokenTable is not { } table)
        {
            return null;
        }

        foreach (var grant in scope.Grants.Where(g => g.IsLease))
        {
            var current = await ReadCurrentAsync(context, table, grant.Resource, async, cancellationToken).ConfigureAwait(false);
            if (current is null || current.Value.Token != grant.Token || current.Value.Holder != grant.Holder)
            {
                return report.Told(new FencingTokenRejectedException(grant.Resource, grant.Token, current?.Token, current?.HolderInfo, inner: inner));
            }
        }

        return null;
    }

    private async ValueTask<Exception?> FindNewerRowAsync(EnvelopeSave save, Exception inner, bool async, CancellationToken cancellationToken)
    {
        foreach (var entry in save.Entries.Where(e => e.EntityState is EntityState.Modified or EntityState.Deleted))
        {
            if (Fence.Find(entry.EntityType) is not { Token: { } token } fence)
            {
                continue;
            }

            var grant = scope.Require(fence.Resource.ResourceOf(entry), entry.EntityType);
            var table = PropertyTable.Of(sql, entry.EntityType, token);
            var seen = await ReadAsync(
                save.Context,
                FencingSql.ReadRowToken(table),
                [.. table.KeyProperties.Select(k => SqlParameterValue.For(k, entry.GetOriginalValue(k)))],
                static reader => (long?)reader.GetInt64(0),
                async,
                cancellationToken).ConfigureAwait(false);
            if (seen > grant.Token)
            {
                var current = FencingModel.Of(save.Context.Model, sql).TokenTable is { } tokens
                    ? await ReadCurrentAsync(save.Context, tokens, grant.Resource, async, cancellationToken).ConfigureAwait(false)
                    : null;
                return report.Told(new FencingTokenRejectedException(
                    grant.Resource, grant.Token, Math.Max(seen.Value, current?.Token ?? 0), current?.HolderInfo, entry.EntityType.DisplayName(), [entry], inner));
            }
        }

        return null;
    }

    private ValueTask<(long Token, Guid? Holder, string? HolderInfo)?> ReadCurrentAsync(DbContext context, string table, string resource, bool async, CancellationToken cancellationToken)
        => ReadAsync<(long, Guid?, string?)?>(
            context,
            FencingSql.ReadToken(table),
            [new(resource, mappings.GetMapping(typeof(string)))],
            static reader => (reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetGuid(1), reader.IsDBNull(2) ? null : reader.GetString(2)),
            async,
            cancellationToken);

    /// <summary>The first row, or null. With <paramref name="async"/> false the task is complete on return.</summary>
    private static async ValueTask<T?> ReadAsync<T>(
        DbContext context, string sql, IReadOnlyList<SqlParameterValue> parameters, Func<DbDataReader, T> read, bool async, CancellationToken cancellationToken)
    {
        var connection = context.GetService<IRelationalConnection>();
        _ = async ? await connection.OpenAsync(cancellationToken).ConfigureAwait(false) : connection.Open();
        try
        {
            var command = ContextCommand.Create(context, sql, parameters);
            await using (command.ConfigureAwait(false))
            {
                var reader = async ? await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false) : command.ExecuteReader();
                await using (reader.ConfigureAwait(false))
                {
                    return (async ? await reader.ReadAsync(cancellationToken).ConfigureAwait(false) : reader.Read()) ? read(reader) : default;
                }
            }
        }
        finally
        {
            _ = async ? await connection.CloseAsync().ConfigureAwait(false) : connection.Close();
        }
    }

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;
}
