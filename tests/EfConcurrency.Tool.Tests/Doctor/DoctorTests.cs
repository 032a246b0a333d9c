using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using EfConcurrency.Tool.Tests.Support;
using Npgsql;

namespace EfConcurrency.Tool.Tests.Doctor;

/// <summary>Each check, with its fault staged on a real server.</summary>
public sealed class DoctorTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_in_order_has_no_finding()
    {
        var healthy = (await Efc.RunAsync(database.ConnectionString, "doctor", "--max-transaction-age", "1d")).Expect(0);
        Assert.Empty(healthy.Output);
        Assert.Contains("Nothing found by 15 checks.", healthy.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tables_columns_indexes_functions_partitions_and_triggers_are_held_against_the_model()
    {
        await using var other = await SchemaAsync("""
            alter table efc.lease drop column renewed_at;
            alter table efc.lease alter column holder_info type varchar(20);
            alter table efc.job_slot alter column attempt drop not null;
            drop index efc.ix_idempotency_key_expires_at;
            drop table efc.outbox_owner;
            drop table efc.outbox_1;
            create or replace function efc.require_row(row_count bigint, statement integer) returns void language plpgsql as $$ begin end $$;
            create table public.report (id int, token bigint);
            create trigger efc_fencing before update on public.report for each row execute function suppress_redundant_updates_trigger();
            alter table public.report disable trigger efc_fencing;
            alter table efc.outbox_pending set (autovacuum_enabled = off);
            """);
        (await DoctorResult.RunAsync(other.ConnectionString, exitCode: 1))
            .Has("schema", "error", "lease has no column renewed_at")
            .Has("schema", "error", "lease.holder_info is character varying(20); the library expects text")
            .Has("schema", "warning", "job_slot.attempt may be null")
            .Has("schema", "error", "idempotency_key has no index ix_idempotency_key_expires_at")
            .Has("schema", "error", "outbox_owner is missing")
            .Has("partitions", "error", "outbox has no partition for slot 1")
            .Has("functions", "warning", "efc.require_row is not that of this version")
            .Has("triggers", "error", "efc_fencing of table report is disabled")
            .Has("bloat", "warning", "autovacuum is off for table outbox_pending");
    }

    [Fact]
    public async Task Columns_indexes_and_triggers_that_are_there_and_of_no_use_are_told()
    {
        await using var other = await SchemaAsync("""
            alter table efc.lease alter column holder set not null;
            update pg_index set indisvalid = false where indexrelid = 'efc.ix_idempotency_key_expires_at'::regclass;
            create table public.report (id int, token bigint);
            create trigger efc_fencing before update on public.report for each row execute function suppress_redundant_updates_trigger();
            alter table public.report enable replica trigger efc_fencing;
            alter table efc.job_slot set (autovacuum_enabled = 0);
            """);
        (await DoctorResult.RunAsync(other.ConnectionString, exitCode: 1))
            .Has("schema", "warning", "lease.holder must not be null; the library writes nulls")
            .Has("schema", "error", "Index ix_idempotency_key_expires_at of table idempotency_key is not valid")
            .Has("triggers", "error", "efc_fencing of table report is disabled")
            .Has("bloat", "warning", "autovacuum is off for table job_slot");
    }

    [Fact]
    public async Task A_role_that_may_not_execute_the_guard_function_is_told_and_no_fault()
    {
        var role = await database.CreateRoleAsync("reader");
        await using var other = await SchemaAsync($"""
            revoke execute on function efc.require_row from public;
            grant pg_monitor to "{role}";
            grant usage on schema efc to "{role}";
            grant select on all tables in schema efc to "{role}";
            """);
        var settings = new NpgsqlConnectionStringBuilder(other.ConnectionString) { Username = role };
        (await DoctorResult.RunAsync(settings.ConnectionString, exitCode: 0, "--max-transaction-age", "1d")).Has("functions", "info", "may not execute efc.require_row");
    }

    [Fact]
    public async Task A_missing_guard_function_and_a_missing_schema_are_told()
    {
        await using var other = await SchemaAsync("drop function efc.require_row");
        (await DoctorResult.RunAsync(other.ConnectionString, exitCode: 1)).Has("functions", "warning", "efc.require_row is missing");
        (await DoctorResult.RunAsync(other.ConnectionString, exitCode: 1, "--schema", "elsewhere")).Has("schema", "error", "elsewhere has no table of EfConcurrency");
    }

    [Fact]
    public async Task An_outbox_that_was_restored_or_is_not_emptied_is_told()
    {
        await using var other = await SchemaAsync("""
            insert into efc.outbox_cursor (sink, lane, snap) values ('mail', 0, '9000000000:9000000000:');
            insert into efc.outbox (slot, lane, message_id, topic, type, payload, created_at)
                values (((extract(epoch from now())::bigint / 86400 + 1) % 3)::smallint, 0, gen_random_uuid(), 't', 'x', '', now() - interval '61 hours');
            """);
        (await DoctorResult.RunAsync(other.ConnectionString, exitCode: 1))
            .Has("outbox-origin", "error", "comes from another server")
            .Has("partitions", "warning", "messages from before yesterday");
    }

    [Fact]
    public async Task Messages_of_another_server_are_told_without_a_cursor_too()
    {
        await using var other = await SchemaAsync("""
            insert into efc.outbox (slot, lane, message_id, topic, type, payload, created_at, tx) values (0, 0, gen_random_uuid(), 't', 'x', '', now(), '9000000000');
            """);
        (await DoctorResult.RunAsync(other.ConnectionString, exitCode: 1)).Has("outbox-origin", "error", "comes from another server");
    }

    [Fact]
    public async Task Sessions_and_transactions_that_hold_things_up_are_told()
    {
        await using var idle = await database.ConnectAsync(applicationName: "dreamer");
        await using var transaction = await idle.BeginTransactionAsync(Token);
        await using (var touch = new NpgsqlCommand("select txid_current()", idle, transaction))
        {
            await touch.ExecuteNonQueryAsync(Token);
        }

        var name = $"efc_{Guid.NewGuid():n}";
        await database.ExecuteAsync($"begin; update efc.lease set fencing_token = 1 where false; prepare transaction '{name}'");
        await database.ExecuteAsync($"select pg_create_physical_replication_slot('{name}', true)");
        await database.ExecuteAsync("insert into efc.lease (name, fencing_token, expires_at) select 'x' || i, 1, now() from generate_series(1, 100) i");
        await database.ExecuteAsync("delete from efc.lease where name like 'x%'");
        try
        {
            (await DoctorResult.RunAsync(database.ConnectionString, exitCode: 1, "--max-idle-in-transaction", "0", "--max-transaction-age", "0", "--max-dead-rows", "50", "--max-xid-age", "0"))
                .Has("idle-in-transaction", "warning", $"{idle.ProcessID} dreamer")
                .Has("old-snapshots", "warning", $"{idle.ProcessID} dreamer")
                .Has("old-snapshots", "warning", $"Prepared transaction '{name}'")
                .Has("old-snapshots", "warning", $"Replication slot {name}")
                .Has("bloat", "warning", "Table lease has 100 dead rows")
                .Has("xid-age", "warning", "transactions old");
        }
        finally
        {
            await database.ExecuteAsync($"rollback prepared '{name}'");
            await database.ExecuteAsync($"select pg_drop_replication_slot('{name}')");
        }
    }

    [Fact]
    public async Task Missing_grants_are_told_and_what_only_changing_needs_is_no_fault()
    {
        var role = await database.CreateRoleAsync("blind");
        (await DoctorResult.RunAsync(database.As(role), exitCode: 1))
            .Has("grants", "warning", "does not see the sessions of other roles")
            .Has("grants", "warning", "may not read advisory_lock_name, idempotency_key, inbox, job_slot, lease, outbox")
            .Has("grants", "info", "end sessions");

        var looker = await database.CreateLookerAsync();
        (await DoctorResult.RunAsync(database.As(looker), exitCode: 0, "--max-transaction-age", "1d")).Has("grants", "info", "may look, and may not change leases");

        await database.ExecuteAsync($"alter role \"{looker}\" set default_transaction_read_only = on");
        (await DoctorResult.RunAsync(database.As(looker), exitCode: 1)).Has("read-only", "error", "default_transaction_read_only");
    }

    [Fact]
    public async Task A_pooler_is_told_and_prepared_statements_behind_it()
    {
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, "transaction");
        (await DoctorResult.RunAsync(pooler.ConnectionString + ";Max Auto Prepare=10;No Reset On Close=false", exitCode: 1))
            .Has("pooler", "warning", "A pooler")
            .Has("pooler", "warning", "Max Auto Prepare is on")
            .Has("pooler", "info", "DISCARD ALL");
    }

    [Fact]
    public async Task A_server_that_is_newer_than_the_library_is_told_and_no_fault()
    {
        await using var server = new FutureServer(database.ConnectionString);
        DoctorResult.Of(await Efc.RunAsync(server.ConnectionString, "doctor", "-o", "json")).Has("server-version", "info", "PostgreSQL 99; this version of the library was made for 14 to 18");
    }

    /// <summary>Functions that are found before the server's own: the ages of a server that is near its end, and of one that is not yet.</summary>
    [Theory]
    [InlineData(500_000_000, 500_000_000, null)]
    [InlineData(500_000_001, 7, "is 500000001 transactions old (multixact: 7)")]
    [InlineData(7, 500_000_001, "is 7 transactions old (multixact: 500000001)")]
    public async Task Old_transaction_ids_are_told_from_the_limit_on(int age, int multixact, string? words)
    {
        await using var other = await SchemaAsync($"""
            create schema fake;
            create function fake.age(xid) returns integer language sql as $$ select {age} $$;
            create function fake.mxid_age(xid) returns integer language sql as $$ select {multixact} $$;
            """);
        var result = DoctorResult.Of(await Efc.RunAsync(other.ConnectionString + ";Search Path=fake,pg_catalog,public", "doctor", "-o", "json"));
        if (words is not null)
        {
            result.Has("xid-age", "warning", words);
            return;
        }

        Assert.DoesNotContain(result.Findings, f => f.Check == "xid-age");
    }

    [Fact]
    public async Task A_clock_that_is_wrong_is_told()
    {
        using var process = Efc.Start(database.ConnectionString, wallClock: "+95s", ["doctor", "-o", "json"]);

        // On a busy machine the answer is seconds old.
        DoctorResult.Of((await Efc.EndAsync(process)).Expect(1)).Has("clock", "warning", "1 min 3").Has("clock", "warning", "s ahead of the database's");
    }

    [Fact]
    public async Task Unsafe_settings_and_a_standby_are_told()
    {
        await using var server = await LocalPostgres.StartAsync(new() { Settings = new Dictionary<string, string> { ["synchronous_commit"] = "off", ["autovacuum"] = "off" } }, Token);
        (await DoctorResult.RunAsync(server.ConnectionString, exitCode: 1))
            .Has("durability", "error", "fsync is off")
            .Has("durability", "error", "full_page_writes is off")
            .Has("durability", "warning", "synchronous_commit is off")
            .Has("bloat", "error", "autovacuum is off");

        await using var standby = await server.StartStandbyAsync(cancellationToken: Token);
        (await DoctorResult.RunAsync(standby.ConnectionString, exitCode: 1)).Has("read-only", "error", "The server is a standby");
    }

    /// <summary>A database of its own with all tables, and something done to it.</summary>
    private async Task<TestDatabase> SchemaAsync(string damage)
    {
        var other = await database.CreateEmptyAsync();
        await using var shop = ShopContext.Open(other.ConnectionString);
        await shop.Database.EnsureCreatedAsync(Token);
        await using var connection = await database.ConnectAsync(other.ConnectionString);
        await using var command = new NpgsqlCommand(damage, connection);
        await command.ExecuteNonQueryAsync(Token);
        return other;
    }
}
