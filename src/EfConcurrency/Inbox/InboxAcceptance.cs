using System.Transactions;
using EfConcurrency.Postgres;
using EfConcurrency.Resilience;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace EfConcurrency.Inbox;

/// <summary>The server's answer to messages that were to be accepted in an open transaction.</summary>
internal sealed class InboxAcceptance
{
    private readonly InboxTable _table;
    private readonly DateTimeOffset _now;
    private readonly HashSet<(Guid Id, string ForeignId)> _accepted;

    private InboxAcceptance(InboxTable table, DateTimeOffset now, HashSet<(Guid Id, string ForeignId)> accepted)
    {
        _table = table;
        _now = now;
        _accepted = accepted;
    }

    /// <exception cref="InboxTransactionRequiredException">The context is in no transaction.</exception>
    /// <exception cref="InboxTableMissingException">There is no such table.</exception>
    public static async Task<InboxAcceptance> SendAsync(DbContext context, string consumer, IReadOnlyList<InboxKey> keys, CancellationToken cancellationToken)
    {
        var table = InboxTable.Of(context);
        var database = context.Database;
        if (database.CurrentTransaction is null && database.GetEnlistedTransaction() is null && Transaction.Current is null)
        {
            throw InboxTransactionRequiredException.ForAccept();
        }

        var unit = context.GetService<RetryUnitState>();
        await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var command = Command(context, table, consumer, keys);
            await using (command.ConfigureAwait(false))
            {
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    return await ReadAsync(reader, table, unit, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (PostgresException error)
        {
            // EF does not see this command, and so can't tell the unit what aborted its transaction.
            unit.StatementFailed(error);
            if (InboxRefusal.IsMissing(error))
            {
                throw InboxTableMissingException.NotInDatabase(table.Name, error);
            }

            throw;
        }
        finally
        {
            await database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Tells which messages are new; the same id twice is new once.</summary>
    /// <exception cref="InboxMessageOutsideWindowException">One of them is outside of the window.</exception>
    public bool[] IsNew(string consumer, IReadOnlyList<InboxKey> keys)
    {
        var isNew = new bool[keys.Count];
        for (var i = 0; i < keys.Count; i++)
        {
            var key = keys[i];
            isNew[i] = _accepted.Remove((key.Id, key.ForeignId));
            if (key.SentAt is { } at && (at < _now.AddDays(-_table.WindowDays) || at > _now + InboxKey.MaxClockSkew))
            {
                throw new InboxMessageOutsideWindowException(consumer, key.Id, at, _now, _table.WindowDays);
            }
        }

        return isNew;
    }

    private static NpgsqlCommand Command(DbContext context, InboxTable table, string consumer, IReadOnlyList<InboxKey> keys)
    {
        var command = (NpgsqlCommand)ContextCommand.Create(context, "", []);
        command.CommandText = table.Accept;
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = consumer });
        command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. keys.Select(k => k.Slot(table.WindowDays))] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. keys.Select(k => k.Id)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. keys.Select(k => k.ForeignId)] });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset?[]> { TypedValue = [.. keys.Select(k => k.SentAt)] });
        return command;
    }

    /// <summary>With the transaction's id, a unit of RetryOnConflictAsync need not ask for it when it saves or commits.</summary>
    private static async Task<InboxAcceptance> ReadAsync(NpgsqlDataReader reader, InboxTable table, RetryUnitState unit, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        var now = await reader.GetFieldValueAsync<DateTimeOffset>(0, cancellationToken).ConfigureAwait(false);
        if (await reader.IsDBNullAsync(1, cancellationToken).ConfigureAwait(false))
        {
            return new(table, now, []);
        }

        var ids = await reader.GetFieldValueAsync<Guid[]>(1, cancellationToken).ConfigureAwait(false);
        var foreignIds = await reader.GetFieldValueAsync<string[]>(2, cancellationToken).ConfigureAwait(false);
        if (unit.IsActive)
        {
            unit.Ticket ??= new CommitTicket(reader.GetString(3), reader.GetString(4));
        }

        return new(table, now, [.. ids.Zip(foreignIds)]);
    }
}
