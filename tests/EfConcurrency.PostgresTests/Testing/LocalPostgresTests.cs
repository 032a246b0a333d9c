using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.PostgresTests.Testing;

/// <summary>Whatever ends the process that started a server, the server and its folder are gone afterwards.</summary>
public sealed class LocalPostgresTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Disposing_it_leaves_nothing()
    {
        ServerTrace trace;
        await using (var server = await LocalPostgres.StartAsync(cancellationToken: Token))
        {
            trace = await ServerTrace.OfAsync(server.ConnectionString, Token);
            Assert.True(trace.Runs);
        }

        await trace.GoneAsync(Token);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("KILL")]
    public async Task A_signal_to_its_owner_leaves_nothing(string signal)
    {
        using var host = StartHost("standby");
        var primary = await ServerTrace.OfAsync((await host.StandardOutput.ReadLineAsync(Token))!, Token);
        var standby = await ServerTrace.OfAsync((await host.StandardOutput.ReadLineAsync(Token))!, Token);

        await SignalAsync(signal, host.Id);
        await host.WaitForExitAsync(Token);

        await primary.GoneAsync(Token);
        await standby.GoneAsync(Token);
    }

    [Fact]
    public async Task What_a_killed_owner_and_a_killed_watcher_left_goes_with_the_next_start()
    {
        using var host = StartHost();
        var trace = await ServerTrace.OfAsync((await host.StandardOutput.ReadLineAsync(Token))!, Token);
        await SignalAsync("KILL", ParentOf(trace.Pid));
        await SignalAsync("KILL", host.Id);
        await host.WaitForExitAsync(Token);
        Assert.True(Directory.Exists(trace.Data));

        await using var next = await LocalPostgres.StartAsync(cancellationToken: Token);

        await trace.GoneAsync(Token);
    }

    [Fact]
    public async Task A_killed_server_recovers_when_it_is_started_again()
    {
        await using var server = await LocalPostgres.StartAsync(cancellationToken: Token);
        await ExecuteAsync(server.ConnectionString, "create table t as select 1 as x");
        await server.KillAsync(Token);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(server.ConnectionString, "select 1"));
        await server.StartAgainAsync(Token);
        await ExecuteAsync(server.ConnectionString, "insert into t values (2)");

        await server.RestartAsync(Token);
        NpgsqlConnection.ClearAllPools();
        await ExecuteAsync(server.ConnectionString, "insert into t values (3)");
    }

    [Fact]
    public async Task Settings_reach_the_server()
    {
        await using var server = await LocalPostgres.StartAsync(
            new LocalPostgresOptions { Durable = true, MaxConnections = 17, Settings = new Dictionary<string, string> { ["work_mem"] = "5MB" } }, Token);
        Assert.Equal("on 17 5MB", await ScalarAsync(server.ConnectionString, "select concat_ws(' ', current_setting('fsync'), current_setting('max_connections'), current_setting('work_mem'))"));
    }

    [Fact]
    public async Task Databases_are_empty_and_dropped_with_their_sessions()
    {
        await using var server = await LocalPostgres.StartAsync(cancellationToken: Token);
        var database = await server.CreateDatabaseAsync(Token);
        var other = await server.CreateDatabaseAsync(Token);
        Assert.NotEqual(database.Name, other.Name);
        await using var open = new NpgsqlConnection(database.ConnectionString);
        await open.OpenAsync(Token);

        await database.DisposeAsync();

        Assert.Equal("0", await ScalarAsync(server.ConnectionString, $"select count(*)::text from pg_database where datname = '{database.Name}'"));
    }

    /// <summary>Jobs in the background of a shell ignore SIGINT, and so would all that they start.</summary>
    private static Process StartHost(params string[] arguments)
    {
        var program = typeof(LocalPostgresTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "PostgresHost").Value!;
        return Process.Start(new ProcessStartInfo("env", ["--default-signal", program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }

    private static int ParentOf(int pid)
        => int.Parse(File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ')[1], CultureInfo.InvariantCulture);

    private static async Task SignalAsync(string signal, int pid)
    {
        using var kill = Process.Start("kill", ["-" + signal, pid.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Token);
    }

    private static async Task ExecuteAsync(string connectionString, string sql) => await PostgresQuery.ExecuteAsync(connectionString, sql, Token);

    private static Task<string?> ScalarAsync(string connectionString, string sql) => PostgresQuery.ScalarAsync<string>(connectionString, sql, [], Token);
}
