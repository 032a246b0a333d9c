using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Tool.Tests.Support;
using Npgsql;

namespace EfConcurrency.Tool.Tests.Cli;

/// <summary>Each gets one clear line on stderr and its exit code; that the password is in no output is held for every call of the tool.</summary>
public sealed class BadInputTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Username=u;Password=" + ToolDatabase.Password, 3, "The server can't be reached")]
    [InlineData("Host=no.such.host.invalid;Username=u;Password=" + ToolDatabase.Password, 3, "The server can't be reached")]
    [InlineData("postgres://u:" + ToolDatabase.Password + "@host/db", 2, "The connection string can't be read")]
    [InlineData("Hots=127.0.0.1;Password=" + ToolDatabase.Password, 2, "The connection string can't be read")]
    [InlineData("Host=h;Password=x;" + ToolDatabase.Password + "=1", 2, "The connection string can't be read")]
    [InlineData("Port=" + ToolDatabase.Password, 2, "The connection string can't be read")]
    [InlineData("Username=u;Password=" + ToolDatabase.Password, 2, "Which database?")]
    public async Task A_wrong_connection_string(string connectionString, int exitCode, string message)
    {
        var refused = (await Efc.RunAsync(connectionString, "status")).Expect(exitCode);
        Assert.Contains(message, refused.OneError(), StringComparison.Ordinal);
        Assert.Empty(refused.Output);
    }

    [Fact]
    public async Task No_connection_string_at_all()
        => Assert.Contains("EFC_CONNECTION", (await Efc.RunAsync(null, "status")).Expect(2).OneError(), StringComparison.Ordinal);

    [Fact]
    public async Task No_such_database_and_no_such_role()
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "nowhere" };
        Assert.Contains("no such database", (await Efc.RunAsync(settings.ConnectionString, "status")).Expect(3).OneError(), StringComparison.Ordinal);
        Assert.Contains("refused the login", (await Efc.RunAsync(database.As("nobody-at-all"), "status")).Expect(3).OneError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_too_old()
    {
        await using var server = new AncientServer();
        Assert.Contains("PostgreSQL 13.22; EfConcurrency needs 14", (await Efc.RunAsync(server.ConnectionString, "status")).Expect(3).OneError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Words_that_make_no_sense_and_a_connection_string_in_the_wrong_place()
    {
        Assert.Contains("'lokcs'", (await Efc.RunAsync(database.ConnectionString, "lokcs", "list")).Expect(2).OneError(), StringComparison.Ordinal);
        Assert.Contains("no length of time", (await Efc.RunAsync(database.ConnectionString, "top", "--interval", "soon")).Expect(2).OneError(), StringComparison.Ordinal);
        var misplaced = (await Efc.RunAsync(null, database.ConnectionString, "status")).Expect(2);
        Assert.Contains("put --connection before it", misplaced.OneError(), StringComparison.Ordinal);
        Assert.DoesNotContain(ToolDatabase.Password, (await Efc.RunAsync(database.ConnectionString, "--help")).Expect(0).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=h;Pwd=" + ToolDatabase.Password)]
    [InlineData("Host=h;psw = " + ToolDatabase.Password)]
    [InlineData("postgres://u:" + ToolDatabase.Password + "@host/db")]
    public async Task A_connection_string_in_the_wrong_place_is_not_quoted_however_its_password_is_called(string connectionString)
        => Assert.Contains("put --connection before it", (await Efc.RunAsync(null, connectionString, "status")).Expect(2).OneError(), StringComparison.Ordinal);

    [Theory]
    [InlineData("locks list")]
    [InlineData("leases list")]
    [InlineData("leases break x --dry-run")]
    public async Task Tables_that_are_missing(string verb)
    {
        await using var empty = await database.CreateEmptyAsync();
        var arguments = verb.Split(' ');
        var result = await Efc.RunAsync(empty.ConnectionString, arguments);

        // Locks are the server's own: without a single table of the library they are still there.
        result.Expect(arguments[0] == "locks" ? 0 : 7);
        if (arguments[0] != "locks")
        {
            Assert.Contains("--schema", result.OneError(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_role_without_grants_is_told_which_it_needs()
    {
        var role = await database.CreateRoleAsync("nothing");
        Assert.Contains("grant", (await Efc.RunAsync(database.As(role), "status")).Expect(6).OneError(), StringComparison.Ordinal);
        Assert.Contains("pg_monitor", (await Efc.RunAsync(database.As(role), "locks", "list")).Expect(6).OneError(), StringComparison.Ordinal);
        Assert.Contains("permission denied", (await Efc.RunAsync(database.As(role), "leases", "list")).Expect(6).OneError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_that_may_look_can_do_all_that_looks_and_nothing_else()
    {
        var looker = database.As(await database.CreateLookerAsync());
        await database.ExecuteAsync("insert into efc.lease (name, fencing_token, holder, holder_info, expires_at) values ('mine', 7, gen_random_uuid(), 'a/1', now() + interval '1 hour')");
        await using var holder = await database.HoldAsync(AdvisoryKey.Of("busy"));

        // Doctor looks at the whole server, where other tests stage their faults: DoctorTests runs it as such a role.
        foreach (var verb in (string[])["status", "top", "locks list", "locks tree", "leases list", "snapshot", "locks release busy --dry-run", "leases break mine --dry-run"])
        {
            (await Efc.RunAsync(looker, verb.Split(' '))).Expect(0);
        }

        // It has no audit table to write to, so it does nothing: neither end a session, which it may, nor break a lease, which it may not.
        Assert.Contains("audit table", (await Efc.RunAsync(looker, "locks", "release", "busy", "--reason", "x", "--yes")).Expect(6).Error, StringComparison.Ordinal);
        Assert.Contains("may not", (await Efc.RunAsync(looker, "leases", "break", "mine", "--reason", "x", "--yes", "--no-audit")).Expect(6).Error, StringComparison.Ordinal);
        Assert.Equal(7L, await database.ScalarAsync<long>("select fencing_token from efc.lease where name = 'mine'"));
        Assert.Equal(1L, await database.ScalarAsync<long>($"select count(*) from pg_stat_activity where pid = {holder.ProcessID}"));
    }
}
