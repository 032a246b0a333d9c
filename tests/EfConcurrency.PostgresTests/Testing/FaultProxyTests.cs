using System.Diagnostics;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.PostgresTests.Testing;

public sealed class FaultProxyTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CommitFault.CutBefore, 0L)]
    [InlineData(CommitFault.CutAfter, 1L)]
    public async Task A_commit_is_cut_on_the_side_that_was_asked_for(CommitFault fault, long rows)
    {
        var table = await TableAsync();
        await using var proxy = database.StartProxy();
        await using var connection = await OpenAsync(proxy);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await ExecuteAsync(connection, $"insert into {table} values (1)");
        var injected = proxy.FaultNextCommit(fault);

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync(Token));

        await injected;
        Assert.Equal(1, proxy.CommitFaultsInjected);
        await AssertRowsAsync(table, rows);
    }

    [Fact]
    public async Task A_reply_in_a_black_hole_leaves_the_client_waiting_and_the_work_done()
    {
        var table = await TableAsync();
        await using var proxy = database.StartProxy(c => c.CommandTimeout = 0);
        await using var connection = await OpenAsync(proxy);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await ExecuteAsync(connection, $"insert into {table} values (1)");
        var injected = proxy.FaultNextCommit(CommitFault.BlackHoleReply);

        var commit = transaction.CommitAsync(Token);
        await injected;
        await AssertRowsAsync(table, 1);
        Assert.False(commit.IsCompleted);

        proxy.CutAll();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => commit);
    }

    [Fact]
    public async Task Clients_that_ask_for_encryption_first_are_served()
    {
        await using var proxy = database.StartProxy();
        var server = new NpgsqlConnectionStringBuilder(proxy.ConnectionString);
        using var psql = Process.Start(new ProcessStartInfo(
            "psql", ["-XAtq", "-h", server.Host!, "-p", $"{server.Port}", "-U", server.Username!, "-d", server.Database!, "-c", "select 42"]) { RedirectStandardOutput = true })!;

        await psql.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromMinutes(1), Token);

        Assert.Equal("42", (await psql.StandardOutput.ReadToEndAsync(Token)).Trim());
    }

    /// <summary>A COMMIT among other statements takes effect when it is executed, not at the end of its batch.</summary>
    [Theory]
    [InlineData(CommitFault.CutBefore, 0L)]
    [InlineData(CommitFault.CutAfter, 1L)]
    public async Task A_commit_in_a_batch_is_cut_on_the_side_that_was_asked_for(CommitFault fault, long rows)
    {
        var table = await TableAsync();
        await using var proxy = database.StartProxy();
        await using var connection = await OpenAsync(proxy);
        await ExecuteAsync(connection, "begin");
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new($"insert into {table} values ($1)") { Parameters = { new() { Value = 1 } } }, new("COMMIT") } };
        var injected = proxy.FaultNextCommit(fault);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => batch.ExecuteNonQueryAsync(Token));
        await injected;
        await AssertRowsAsync(table, rows);
    }

    [Fact]
    public async Task A_fault_falls_on_the_step_that_was_asked_for_and_a_request_in_a_black_hole_never_arrives()
    {
        var table = await TableAsync();
        await using var proxy = database.StartProxy(c => c.NoResetOnClose = true);
        await using var connection = await OpenAsync(proxy);
        var injected = proxy.FaultNextBatch(CommitFault.BlackHoleRequest, skip: 1);
        await ExecuteAsync(connection, $"insert into {table} values (1)");
        var lost = ExecuteAsync(connection, $"insert into {table} values (2)");
        await injected;
        await AssertRowsAsync(table, 1);
        Assert.False(lost.IsCompleted);

        proxy.CutAll();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => lost);
        await AssertRowsAsync(table, 1);
    }

    [Fact]
    public async Task An_implicit_commit_is_cut_by_its_batch()
    {
        var table = await TableAsync();
        await using var proxy = database.StartProxy();
        await using var connection = await OpenAsync(proxy);
        var injected = proxy.FaultNextBatch(CommitFault.CutAfter);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(connection, $"insert into {table} values (1)"));
        await injected;
        await AssertRowsAsync(table, 1);
    }

    [Fact]
    public async Task Only_commits_for_which_When_says_yes_are_spoiled()
    {
        await using var proxy = database.StartProxy();
        proxy.CommitFault = CommitFault.CutAfter;
        proxy.When = () => false;
        await using var connection = await OpenAsync(proxy);
        await using (var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, Token))
        {
            await ExecuteAsync(connection, "select 1");
            await transaction.CommitAsync(Token);
        }

        Assert.Equal(0, proxy.CommitFaultsInjected);
    }

    [Fact]
    public async Task A_held_connection_goes_on_when_it_is_let_go()
    {
        await using var proxy = database.StartProxy();
        await using var connection = await OpenAsync(proxy);
        proxy.BlackHole = true;
        var command = ExecuteAsync(connection, "select 1");
        await Assert.ThrowsAsync<TimeoutException>(() => command.WaitAsync(TimeSpan.FromMilliseconds(200), Token));
        proxy.BlackHole = false;
        await command;
    }

    [Fact]
    public async Task A_delay_is_felt_in_both_directions()
    {
        await using var proxy = database.StartProxy();
        await using var connection = await OpenAsync(proxy);
        proxy.Delay = TimeSpan.FromMilliseconds(60);
        var started = Stopwatch.GetTimestamp();
        await ExecuteAsync(connection, "select 1");
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(115));
    }

    /// <summary>Two proxies may get the same port one after the other; then a pool must not hand out what the first one left in it.</summary>
    [Fact]
    public async Task No_two_proxies_share_a_pool()
    {
        await using var one = database.StartProxy();
        await using var two = database.StartProxy();
        Assert.NotEqual(
            new NpgsqlConnectionStringBuilder(one.ConnectionString) { Port = 1 }.ConnectionString,
            new NpgsqlConnectionStringBuilder(two.ConnectionString) { Port = 1 }.ConnectionString);
    }

    [Fact]
    public async Task A_cut_is_seen_by_the_next_command()
    {
        await using var proxy = database.StartProxy(c => c.Pooling = false);
        await using var connection = await OpenAsync(proxy);
        proxy.CutAll();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(connection, "select 1"));
    }

    [Fact]
    public async Task Round_trips_are_counted_at_the_wire()
    {
        await using var proxy = database.StartProxy();
        await using var connection = await OpenAsync(proxy);
        await ExecuteAsync(connection, "select 1");

        var trips = proxy.CountRoundTrips();
        await ExecuteAsync(connection, "select 1; select 2; select 3");
        Assert.Equal(1, trips.Count);

        await using var transaction = await connection.BeginTransactionAsync(Token);
        Assert.Equal(1, trips.Count); // BEGIN waits for the first command
        await ExecuteAsync(connection, "select 1");
        Assert.Equal(2, trips.Count);
        await transaction.CommitAsync(Token);
        Assert.Equal(3, trips.Count);
        Assert.True(trips.BytesSent > 0 && trips.BytesReceived > 0);

        // A reply of many packets is still one.
        await ExecuteAsync(connection, "select repeat('x', 500000) from generate_series(1, 4)");
        Assert.Equal(4, trips.Count);
    }

    private static async Task<NpgsqlConnection> OpenAsync(FaultProxy proxy)
    {
        var connection = new NpgsqlConnection(proxy.ConnectionString);
        await connection.OpenAsync(Token);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    private async Task<string> TableAsync()
    {
        var table = "t" + Guid.NewGuid().ToString("n");
        await database.ExecuteAsync($"create table {table} (x int)");
        return table;
    }

    /// <summary>The server may still be rolling a cut session back.</summary>
    private async Task AssertRowsAsync(string table, long rows)
    {
        await database.ExecuteAsync($"begin; lock table {table} in share mode; commit");
        Assert.Equal(rows, await database.ScalarAsync<long>($"select count(*) from {table}"));
    }
}
