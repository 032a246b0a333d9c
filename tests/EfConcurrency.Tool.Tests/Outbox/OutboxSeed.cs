using EfConcurrency.Tool.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Tests.Outbox;

/// <summary>An outbox in a state that a test wants.</summary>
internal static class OutboxSeed
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Empty, with sinks that have delivered everything so far.</summary>
    public static async Task ResetAsync(ToolDatabase database, params string[] sinks)
    {
        await database.ExecuteAsync("truncate efc.outbox, efc.outbox_cursor, efc.outbox_pending, efc.outbox_owner");
        foreach (var sink in sinks)
        {
            await database.ExecuteAsync($"insert into efc.outbox_cursor (sink, lane, snap) select '{sink}', l, pg_current_snapshot()::text from generate_series(0, 15) l");
        }
    }

    /// <summary>Enqueues a message, as an application does.</summary>
    public static async Task<Guid> EnqueueAsync(ToolDatabase database, string order, string? key = null, TimeSpan age = default)
    {
        await using var db = database.Open();
        var id = db.Outbox().Enqueue(new OrderPlaced(order), key, new Dictionary<string, string> { ["tenant"] = "acme" });
        await db.SaveChangesAsync(Token);
        await database.ExecuteAsync($"update efc.outbox set created_at = created_at - interval '{age.TotalSeconds} s' where message_id = '{id}'");
        return id;
    }

    /// <summary>Enqueues a message that a sink could not be given.</summary>
    /// <param name="database">The database.</param>
    /// <param name="state">0 retrying, 1 delayed, 2 dead.</param>
    /// <param name="sink">The sink.</param>
    /// <param name="key">The message's key.</param>
    /// <param name="age">How long ago it was enqueued.</param>
    /// <param name="attempts">How often it failed.</param>
    public static async Task<Guid> PendAsync(ToolDatabase database, int state, string sink = "bus", string? key = null, TimeSpan age = default, int attempts = 3)
    {
        var id = await EnqueueAsync(database, "1", key, age);
        await database.ExecuteAsync($"""
            insert into efc.outbox_pending (sink, id, lane, message_id, key, topic, type, headers, payload, created_at, due_at, attempts, last_error, state)
            select '{sink}', id, lane, message_id, key, topic, type, headers, payload, created_at, clock_timestamp() + interval '1 hour', {attempts},
                case when {attempts} > 0 then E'no route\nto the broker' end, {state}
            from efc.outbox where message_id = '{id}';
            update efc.outbox_cursor set snap = pg_current_snapshot()::text;
            """);
        return id;
    }
}
