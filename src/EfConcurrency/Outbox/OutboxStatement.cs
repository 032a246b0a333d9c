using EfConcurrency.Postgres;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Outbox;

/// <summary>Makes the statement that writes messages. A singleton of EF's internal provider: it keeps the mappings of the arrays.</summary>
internal sealed class OutboxStatement(IRelationalTypeMappingSource mappings)
{
    private readonly RelationalTypeMapping _lanes = mappings.FindMapping(typeof(short[]))!;
    private readonly RelationalTypeMapping _ids = mappings.FindMapping(typeof(Guid[]))!;
    private readonly RelationalTypeMapping _delays = mappings.FindMapping(typeof(long?[]))!;
    private readonly RelationalTypeMapping _texts = mappings.FindMapping(typeof(string[]))!;
    private readonly RelationalTypeMapping _payloads = mappings.FindMapping(typeof(byte[][]))!;

    /// <summary>One statement for all messages, in their order.</summary>
    public EnvelopeStatement Of(List<OutboxMessage> messages, string sql)
    {
        var count = messages.Count;
        var lanes = new short[count];
        var ids = new Guid[count];
        var delays = new long?[count];
        var keys = new string?[count];
        var topics = new string[count];
        var types = new string[count];
        var headers = new string[count];
        var payloads = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            var message = messages[i];
            lanes[i] = message.Lane;
            ids[i] = message.Id;
            delays[i] = message.DelayMicroseconds;
            keys[i] = message.Key;
            topics[i] = message.Contract.Topic;
            types[i] = message.Contract.Name;
            headers[i] = message.Headers;
            payloads[i] = message.Payload;
        }

        return new(
            sql,
            [new(lanes, _lanes), new(ids, _ids), new(delays, _delays), new(keys, _texts), new(topics, _texts), new(types, _texts), new(headers, _texts), new(payloads, _payloads)]);
    }

    /// <summary>Parameters of <see cref="OutboxSql.LogExists"/>.</summary>
    public SqlParameterValue[] Existing(OutboxLogTable log) => [new(log.Name, mappings.FindMapping(typeof(string))!), new(log.ColumnNames, _texts)];
}
