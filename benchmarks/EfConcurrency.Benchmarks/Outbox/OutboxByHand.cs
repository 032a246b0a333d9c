using System.Text.Json;
using Npgsql;

namespace EfConcurrency.Benchmarks.Outbox;

/// <summary>The limit: what a careful programmer would write without EF.</summary>
internal sealed class OutboxByHand(string connectionString, int id, int messages)
{
    private int _value;

    public async Task SaveAsync()
    {
        _value++;
        var lanes = new short[messages];
        var ids = new Guid[messages];
        var keys = new string[messages];
        var topics = new string[messages];
        var types = new string[messages];
        var headers = new string[messages];
        var payloads = new byte[messages][];
        for (var i = 0; i < messages; i++)
        {
            ids[i] = Guid.CreateVersion7();
            keys[i] = "row-1";
            topics[i] = "row.raised";
            types[i] = "row.raised.v1";
            headers[i] = EntityOutbox.Headers(ids[i]);
            payloads[i] = JsonSerializer.SerializeToUtf8Bytes(OutboxContext.Event(id, _value), JsonSerializerOptions.Web);
        }

        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new("update row set \"Value\" = $1 where \"Id\" = $2") { Parameters = { new() { Value = _value }, new() { Value = id } } });
        batch.BatchCommands.Add(new(
            "insert into efc.outbox (lane, message_id, key, topic, type, headers, payload) "
            + "select l, m, k, t, y, h::jsonb, p from unnest($1, $2, $3, $4, $5, $6, $7) u(l, m, k, t, y, h, p)")
        {
            Parameters =
            {
                new() { Value = lanes }, new() { Value = ids }, new() { Value = keys }, new() { Value = topics }, new() { Value = types }, new() { Value = headers }, new() { Value = payloads },
            },
        });
        await batch.ExecuteNonQueryAsync();
    }
}
