using System.Runtime.InteropServices;
using EfConcurrency.Postgres;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Outbox;

/// <summary>Makes the statement that writes messages. A singleton of EF's internal provider: it keeps the mappings of the arrays.</summary>
internal sealed class OutboxStatement(IRelationalTypeMappingSource mappings)
{
    /// <summary>Bytes of payload and headers in one statement: far below the 1 GB at which PostgreSQL ends the connection, and what the server can hold at once.</summary>
    private const long MaxBytes = 64 * 1024 * 1024;

    private readonly RelationalTypeMapping _lanes = mappings.FindMapping(typeof(short[]))!;
    private readonly RelationalTypeMapping _ids = mappings.FindMapping(typeof(Guid[]))!;
    private readonly RelationalTypeMapping _delays = mappings.FindMapping(typeof(long?[]))!;
    private readonly RelationalTypeMapping _texts = mappings.FindMapping(typeof(string[]))!;
    private readonly RelationalTypeMapping _payloads = mappings.FindMapping(typeof(byte[][]))!;

    /// <summary>Adds all messages to the save, in their order: in one statement, unless they are huge.</summary>
    public void AddTo(EnvelopeSave save, List<OutboxMessage> messages, OutboxTable table)
    {
        var rest = CollectionsMarshal.AsSpan(messages);
        while (rest.Length > 0)
        {
            var count = Fitting(rest, MaxBytes);
            save.AddMessage(Of(rest[..count], table));
            rest = rest[count..];
        }
    }

    /// <summary>Parameters of <see cref="OutboxSql.LogExists"/>.</summary>
    public SqlParameterValue[] Existing(OutboxLogTable log) => [new(log.Name, mappings.FindMapping(typeof(string))!), new(log.ColumnNames, _texts)];

    /// <summary>How many messages, from the first, go into one statement: at least one.</summary>
    internal static int Fitting(ReadOnlySpan<OutboxMessage> messages, long maxBytes)
    {
        var count = 0;
        for (var bytes = 0L; count < messages.Length; count++)
        {
            bytes += messages[count].Payload.Length + messages[count].Headers.Length;
            if (bytes > maxBytes && count > 0)
            {
                break;
            }
        }

        return count;
    }

    private EnvelopeStatement Of(ReadOnlySpan<OutboxMessage> messages, OutboxTable table)
    {
        var count = messages.Length;
        var lanes = new short[count];
        var ids = new Guid[count];
        var keys = new string?[count];
        var topics = new string[count];
        var types = new string[count];
        var headers = new string[count];
        var payloads = new byte[count][];
        var hasDelay = false;
        for (var i = 0; i < count; i++)
        {
            var message = messages[i];
            lanes[i] = message.Lane;
            ids[i] = message.Id;
            keys[i] = message.Key;
            topics[i] = message.Contract.Topic;
            types[i] = message.Contract.Name;
            headers[i] = message.Headers;
            payloads[i] = message.Payload;
            hasDelay |= message.DelayMicroseconds is not null;
        }

        SqlParameterValue[] arrays = [new(lanes, _lanes), new(ids, _ids), new(keys, _texts), new(topics, _texts), new(types, _texts), new(headers, _texts), new(payloads, _payloads)];
        return hasDelay ? new(table.EnqueueDelayed, [.. arrays, new(Delays(messages), _delays)]) : new(table.Enqueue, arrays);
    }

    private static long?[] Delays(ReadOnlySpan<OutboxMessage> messages)
    {
        var delays = new long?[messages.Length];
        for (var i = 0; i < delays.Length; i++)
        {
            delays[i] = messages[i].DelayMicroseconds;
        }

        return delays;
    }
}
