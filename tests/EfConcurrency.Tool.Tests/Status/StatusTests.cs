using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Outbox;
using EfConcurrency.Tool.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Tests.Status;

public sealed class StatusTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private const string Rooms = """
        insert into efc.lease (name, fencing_token, holder, holder_info, renewed_at, expires_at) values
            ('held', 1, gen_random_uuid(), 'a/1', now(), now() + interval '1 hour'),
            ('just expired', 1, gen_random_uuid(), 'a/1', now(), now() - interval '1 s'),
            ('report', 2, gen_random_uuid(), 'b/2', now() - interval '1 hour', now() - interval '59 min'),
            ('free', 3, null, 'c/3', now() - interval '1 day', '-infinity');
        insert into efc.idempotency_key (scope, key, fingerprint, fp_version, state, fence, owner, attempts, locked_until, created_at, expires_at) values
            ('s', 'done', '\x00', 1, 1, 1, gen_random_uuid(), 1, null, now() - interval '1 hour', now() + interval '1 day'),
            ('s', 'working', '\x00', 1, 0, 1, gen_random_uuid(), 1, now() + interval '1 min', now() - interval '1 hour', now() + interval '1 day'),
            ('s', 'gone', '\x00', 1, 0, 1, gen_random_uuid(), 1, now() - interval '10 min', now() - interval '1 hour', now() + interval '1 day'),
            ('s', 'unclear', '\x00', 1, 2, 1, gen_random_uuid(), 1, null, now(), now() + interval '1 day');
        insert into efc.job_slot (job, slot_at, slot_no, attempt, claimed_by, claimed_at, expires_at, can_reclaim, completed_at) values
            ('mrp', now() - interval '1 day', 0, 1, gen_random_uuid(), now() - interval '1 day', now() - interval '1 day', true, null),
            ('mrp', now() - interval '1 hour', 0, 1, gen_random_uuid(), now() - interval '1 hour', now() - interval '50 min', true, null),
            ('report', now() - interval '1 hour', 0, 1, gen_random_uuid(), now(), now() + interval '5 min', true, null);
        """;

    private const string Delivered =
        "insert into efc.outbox (lane, message_id, topic, type, payload, created_at) select i % 16, gen_random_uuid(), 't', 'order-placed', '', now() - interval '2 days' from generate_series(1, 20) i";

    private const string Sink = """
        insert into efc.outbox_cursor (sink, lane, snap) select 'mail', l, pg_current_snapshot()::text from generate_series(0, 15) l;
        insert into efc.outbox_pending (sink, id, lane, message_id, topic, type, payload, created_at, due_at, attempts, state) values
            ('mail', 1, 1, gen_random_uuid(), 't', 'order-placed', '', now() - interval '10 min', now(), 1, 0),
            ('mail', 2, 2, gen_random_uuid(), 't', 'order-placed', '', now() - interval '1 day', now() + interval '1 day', 0, 1),
            ('mail', 3, 3, gen_random_uuid(), 't', 'order-placed', '', now(), now(), 9, 2),
            ('mail', 4, 4, gen_random_uuid(), 't', 'order-placed', '', now(), now(), 9, 2);
        """;

    private const string Undelivered =
        "insert into efc.outbox (lane, message_id, topic, type, payload, created_at) select i, gen_random_uuid(), 't', 'order-placed', '', now() - interval '5 min' from generate_series(1, 4) i";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_room_has_a_line_and_its_trouble_is_told()
    {
        var calm = (await Efc.RunAsync(database.ConnectionString, "status")).Expect(0);
        Assert.Equal(["room", "locks", "leases", "outbox", "inbox", "idempotency", "slots"], calm.Lines.Select(l => l.Split(' ')[0]));

        await StageAsync();
        await using var holder = await database.HoldAsync(AdvisoryKey.Of("invoice:42"));
        var waiting = WaitAsync();
        await database.UntilWaitingForLocksAsync(1);

        var trouble = (await Efc.RunAsync(database.ConnectionString, "status", "-o", "json", "--max-lock-wait", "0", "--max-stuck-age", "5m")).Expect(1).Json;
        var rooms = trouble.GetProperty("rooms").EnumerateArray().ToDictionary(r => r.GetProperty("room").GetString()!);
        Assert.All(["locks", "leases", "outbox:mail", "idempotency", "slots"], room => Assert.Equal("attention", rooms[room].GetProperty("state").GetString()));

        long Figure(string room, string name) => rooms[room].GetProperty("figures").GetProperty(name).GetInt64();
        Assert.Equal((1, 1), (Figure("locks", "held"), Figure("locks", "waiting")));
        Assert.Equal((1, 2, 1), (Figure("leases", "held"), Figure("leases", "expired"), Figure("leases", "abandoned")));
        Assert.Equal("report", rooms["leases"].GetProperty("figures").GetProperty("abandonedNames")[0].GetString());
        Assert.Equal((1, 1), (Figure("idempotency", "needResolution"), Figure("idempotency", "workerGone")));
        Assert.Equal((2, 1, 1), (Figure("slots", "jobs"), Figure("slots", "running"), Figure("slots", "late")));

        // The library itself says the same of the outbox.
        await using var db = database.Open();
        var lag = await db.OutboxAdmin().GetLagAsync("mail", Token);
        Assert.Equal((lag.Undelivered, lag.Retrying, lag.Delayed, lag.Dead), (Figure("outbox:mail", "undelivered"), Figure("outbox:mail", "retrying"), Figure("outbox:mail", "delayed"), Figure("outbox:mail", "dead")));
        Assert.Equal(new OutboxLag("mail", 4, 1, 1, 2, lag.OldestAge), lag);
        Assert.InRange(rooms["outbox:mail"].GetProperty("figures").GetProperty("oldestSeconds").GetDouble(), lag.OldestAge!.Value.TotalSeconds - 120, lag.OldestAge.Value.TotalSeconds + 1);

        // Thresholds are the operator's.
        await holder.CloseAsync();
        await waiting;
        var calmed = await Efc.RunAsync(
            database.ConnectionString, "status", "--max-abandoned-age", "7d", "--max-outbox-age", "7d", "--max-dead", "2", "--max-stuck-age", "7d", "--max-slot-delay", "7d");
        Assert.Contains("no dispatcher is alive", calmed.Expect(1).Output, StringComparison.Ordinal);
        Assert.Equal(["outbox:mail", "idempotency"], calmed.Lines.Where(l => l.Contains("attention", StringComparison.Ordinal)).Select(l => l.Split(' ')[0]));
    }

    [Fact]
    public async Task Rooms_without_a_table_are_not_used_and_a_schema_without_any_is_refused()
    {
        await using var empty = await database.CreateEmptyAsync();
        var nothing = (await Efc.RunAsync(empty.ConnectionString, "status")).Expect(7);
        Assert.Contains("no table of EfConcurrency", nothing.OneError(), StringComparison.Ordinal);
        Assert.Empty(nothing.Output);

        await using (var connection = await database.ConnectAsync(empty.ConnectionString))
        {
            await using var create = new Npgsql.NpgsqlCommand("create schema shop; create table shop.lease (name text, fencing_token bigint, holder uuid, holder_info text, acquired_at timestamptz, renewed_at timestamptz, expires_at timestamptz)", connection);
            await create.ExecuteNonQueryAsync(Token);
        }

        var some = (await Efc.RunAsync(empty.ConnectionString, "status", "--schema", "shop")).Expect(0);
        Assert.Equal(4, some.Lines.Count(l => l.EndsWith("not used: no such table", StringComparison.Ordinal)));
    }

    private async Task WaitAsync()
    {
        await using var waiter = await database.HoldAsync(AdvisoryKey.Of("invoice:42"), "second");
    }

    /// <summary>In several transactions: a cursor has not seen what its own one has written.</summary>
    private async Task StageAsync()
    {
        await database.ExecuteAsync(Rooms);
        await database.ExecuteAsync(Delivered);
        await database.ExecuteAsync(Sink);
        await database.ExecuteAsync(Undelivered);
    }
}
