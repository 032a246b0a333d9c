using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Audit;

/// <summary>Each test has a database of its own: who made the audit table is what they are about.</summary>
public sealed class AuditTests(PostgresServer server) : IAsyncLifetime
{
    private readonly ToolDatabase _database = new(server);

    public async ValueTask InitializeAsync()
    {
        await _database.InitializeAsync();
        await _database.ExecuteAsync("insert into efc.lease (name, fencing_token, holder, holder_info, acquired_at, renewed_at, expires_at) values ('report', 5, gen_random_uuid(), 'web-1', now(), now(), now() + interval '1 hour')");
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task What_is_done_is_written_down_with_role_operator_verb_target_reason_and_outcome()
    {
        Assert.Contains("no audit table", (await Efc.RunAsync(_database.ConnectionString, "audit", "list")).Expect(7).OneError(), StringComparison.Ordinal);
        (await Efc.RunAsync(_database.ConnectionString, "leases", "break", "report", "--reason", "web-1 hangs, ticket 17", "--yes")).Expect(0);

        var row = Assert.Single((await Efc.RunAsync(_database.ConnectionString, "audit", "list", "-o", "json")).Expect(0).Json.EnumerateArray());
        Assert.Equal(await _database.ScalarAsync<string>("select session_user::text"), row.GetProperty("role").GetString());
        Assert.Equal($"{Environment.UserName}@{Environment.MachineName}", row.GetProperty("operator").GetString());
        Assert.Equal(["leases break", "report", "web-1 hangs, ticket 17", "done"], new[] { "verb", "target", "reason", "outcome" }.Select(n => row.GetProperty(n).GetString()));
        Assert.Contains("token", row.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("ticket 17", (await Efc.RunAsync(_database.ConnectionString, "audit", "list", "--count", "1")).Expect(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_first_calls_at_the_same_time_make_one_table_and_both_are_written_down()
    {
        await _database.ExecuteAsync("""
            insert into efc.lease (name, fencing_token, holder, holder_info, acquired_at, renewed_at, expires_at)
            select 'import', fencing_token, gen_random_uuid(), holder_info, acquired_at, renewed_at, expires_at from efc.lease
            """);
        await using var gate = await _database.ConnectAsync();
        await using var hold = await gate.BeginTransactionAsync(TestContext.Current.CancellationToken);

        // Another that is about to make the table: both calls see none, and wait at the name of its type.
        await using (var create = new Npgsql.NpgsqlCommand("create table efc.operator_action (id int)", gate, hold))
        {
            await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var calls = ((string[])["report", "import"]).Select(lease => Efc.RunAsync(_database.ConnectionString, "leases", "break", lease, "--reason", "r", "--yes")).ToList();
        await _database.UntilWaitingForLocksAsync(2);
        await hold.RollbackAsync(TestContext.Current.CancellationToken);

        foreach (var call in calls)
        {
            (await call).Expect(0);
        }

        Assert.Equal(2, await _database.ScalarAsync<long>("select count(*) from efc.operator_action where outcome = 'done'"));
    }

    [Fact]
    public async Task With_the_printed_ddl_a_role_of_operators_may_do_everything_and_without_it_nothing_is_done()
    {
        var role = await _database.CreateRoleAsync("operator");
        await _database.ExecuteAsync($"grant usage on schema efc to \"{role}\"; grant select, update on efc.lease to \"{role}\"");
        string[] act = ["leases", "break", "report", "--reason", "r", "--yes"];
        Assert.Contains("audit ddl", (await Efc.RunAsync(_database.As(role), act)).Expect(6).Error, StringComparison.Ordinal);
        Assert.Equal(5, await _database.ScalarAsync<long>("select fencing_token from efc.lease"));
        Assert.Contains("Not audited", (await Efc.RunAsync(_database.As(role), [.. act, "--no-audit"])).Expect(0).Error, StringComparison.Ordinal);

        var ddl = (await Efc.RunAsync(null, "audit", "ddl", "--role", role)).Expect(0).Output;
        await _database.ExecuteAsync(ddl);
        await _database.ExecuteAsync(ddl);
        (await Efc.RunAsync(_database.As(role), act)).Expect(0);
        (await Efc.RunAsync(_database.As(role), "run", "--lock", "report", "--", "true")).Expect(0);
        (await Efc.RunAsync(_database.As(role), "run", "--slot", "job", "--every", "1h", "--", "true")).Expect(0);
        (await Efc.RunAsync(_database.As(role), "idempotency", "expire", "--reason", "r", "--yes")).Expect(0);
        Assert.Equal(2, await _database.ScalarAsync<long>($"select count(*) from efc.operator_action where role = '{role}'"));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(async () =>
        {
            await using var connection = await _database.ConnectAsync(_database.As(role));
            await using var forge = new Npgsql.NpgsqlCommand("update efc.operator_action set reason = 'another'", connection);
            await forge.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        });
    }

    [Fact]
    public async Task What_was_done_is_not_said_to_have_failed_when_the_end_of_it_can_not_be_written_down()
    {
        var role = await _database.CreateRoleAsync("half");
        await _database.ExecuteAsync((await Efc.RunAsync(null, "audit", "ddl", "--role", role)).Expect(0).Output);
        await _database.ExecuteAsync($"revoke update (outcome, detail) on efc.operator_action from \"{role}\"");

        Assert.Contains("'begun'", (await Efc.RunAsync(_database.As(role), "leases", "break", "report", "--reason", "r", "--yes")).Expect(0).Error, StringComparison.Ordinal);
        Assert.True(await _database.ScalarAsync<long>("select fencing_token from efc.lease") > 5);
    }
}
