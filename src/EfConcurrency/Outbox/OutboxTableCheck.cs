using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.Outbox;

/// <summary>A missing table is the one failure of a save with messages that the server's words do not explain: a migration was forgotten.</summary>
internal sealed class OutboxTableCheck(OutboxStatement statement)
{
    /// <summary>The better exception, or null. Asks the catalogue, because the statement that failed may have been another.</summary>
    public async ValueTask<Exception?> ExplainAsync(DbContext context, DbUpdateException exception, bool async, CancellationToken cancellationToken)
    {
        if (SqlStates.FindPostgresException(exception) is not { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn } error
            || context.Database is { CurrentTransaction: not null, AutoSavepointsEnabled: false })
        {
            return null;
        }

        var log = OutboxTable.Of(context).Log;
        return await ExistsAsync(context, log, async, cancellationToken).ConfigureAwait(false) ? null : OutboxTableMissingException.NotInDatabase(log.Name, error);
    }

    private async Task<bool> ExistsAsync(DbContext context, OutboxLogTable log, bool async, CancellationToken cancellationToken)
    {
        var connection = context.GetService<IRelationalConnection>();
        _ = async ? await connection.OpenAsync(cancellationToken).ConfigureAwait(false) : connection.Open();
        try
        {
            var command = ContextCommand.Create(context, OutboxSql.LogExists, statement.Existing(log));
            await using (command.ConfigureAwait(false))
            {
                return (async ? await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) : command.ExecuteScalar()) is true;
            }
        }
        finally
        {
            _ = async ? await connection.CloseAsync().ConfigureAwait(false) : connection.Close();
        }
    }
}
