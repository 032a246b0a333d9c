using System.Data.Common;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace EfConcurrency.Inbox;

/// <summary>What operators ask, on the connection of a context.</summary>
internal sealed class InboxAdmin(DbContext context) : IInboxAdmin
{
    private readonly InboxTable _table = InboxTable.Of(context);

    public async Task<InboxMessageInfo> FindAsync(string messageId, string? consumer = null, CancellationToken cancellationToken = default)
    {
        var key = InboxKey.Of(messageId);
        if (consumer is not null)
        {
            InboxKey.CheckConsumer(consumer);
        }

        await context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var command = ContextCommand.Create(context, "", []);
            await using (command.ConfigureAwait(false))
            {
                command.CommandText = InboxAdminSql.Find(_table);
                command.Parameters.AddRange(new[]
                {
                    Value(_table.Name, NpgsqlDbType.Text), Value(key.Id, NpgsqlDbType.Uuid), Value(key.ForeignId, NpgsqlDbType.Text), Value(key.Day, NpgsqlDbType.Bigint),
                    Value(consumer, NpgsqlDbType.Text),
                });
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    return await ReadAsync(messageId, key, reader, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (PostgresException error) when (InboxRefusal.IsMissing(error))
        {
            throw InboxTableMissingException.NotInDatabase(_table.Name, error);
        }
        finally
        {
            await context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }

    private static NpgsqlParameter Value(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };

    private static async Task<InboxMessageInfo> ReadAsync(string messageId, InboxKey key, DbDataReader reader, CancellationToken cancellationToken)
    {
        var accepted = new List<InboxRecord>();
        DateTimeOffset now = default;
        var days = 0;
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            (now, days) = (reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt32(1));
            if (!reader.IsDBNull(2))
            {
                accepted.Add(InboxRecord.Read(reader, firstColumn: 2));
            }
        }

        return new(messageId, key.SentAt, now, days, accepted);
    }
}
