using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Tool.Tests.Support;
using Npgsql;

namespace EfConcurrency.Tool.Tests.Snapshot;

public sealed class SnapshotTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private const string Secret = "private-content-of-a-customer";

    [Fact]
    public async Task A_snapshot_has_everything_but_contents()
    {
        await database.ExecuteAsync($"""
            insert into efc.lease (name, fencing_token, holder, holder_info, expires_at) values ('report', 1, gen_random_uuid(), 'a/1', now() + interval '1 hour');
            insert into efc.outbox_cursor (sink, lane, snap) select 'mail', l, pg_current_snapshot()::text from generate_series(0, 15) l;
            insert into efc.outbox_pending (sink, id, lane, message_id, topic, type, headers, payload, created_at, due_at, attempts, last_error, state)
                values ('mail', 1, 1, gen_random_uuid(), 'orders', 'order-placed', '{"{"}"x": "{Secret}"{"}"}', convert_to('{Secret}', 'UTF8'), now(), now(), 9, 'refused by the mail server', 2);
            insert into efc.idempotency_key (scope, key, fingerprint, fp_version, state, fence, owner, attempts, recovery_data, created_at, expires_at)
                values ('tenant', '{Secret}', '', 1, 2, 1, gen_random_uuid(), 1, '{"{"}"x": "{Secret}"{"}"}', now(), now() + interval '1 day');
            """);
        await using var holder = await database.HoldAsync(AdvisoryKey.Of("busy"));
        await using (var statement = new NpgsqlCommand($"select '{Secret}'", holder))
        {
            await statement.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var snapshot = (await Efc.RunAsync(database.ConnectionString, "snapshot")).Expect(0);
        Assert.DoesNotContain(Secret, snapshot.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Host=", snapshot.Output, StringComparison.OrdinalIgnoreCase);
        var json = snapshot.Json;
        Assert.Equal(["at", "tool", "server", "status", "locks", "blockingTree", "leases", "outbox", "stuckKeys", "doctor"], json.EnumerateObject().Select(p => p.Name));
        Assert.Equal("report", json.GetProperty("leases")[0].GetProperty("name").GetString());
        Assert.Equal("refused by the mail server", json.GetProperty("outbox")[0].GetProperty("deadLetters")[0].GetProperty("lastError").GetString());
        Assert.Matches("^[0-9a-f]{16}$", json.GetProperty("stuckKeys")[0].GetProperty("keyHash").GetString());
        Assert.Equal(holder.ProcessID, json.GetProperty("locks")[0].GetProperty("pid").GetInt32());
        Assert.NotEqual("", json.GetProperty("server").GetProperty("version").GetString());
        Assert.NotEqual("", json.GetProperty("tool").GetProperty("version").GetString());
    }
}
