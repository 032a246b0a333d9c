using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace EfConcurrency.PostgresTests.Support;

/// <summary>
/// A real PgBouncer before a database, on a port of its own. A shell watches over it and ends it when its input ends, so that nothing is left behind
/// when this process is killed.
/// </summary>
public sealed class PgBouncer : IAsyncDisposable
{
    private const string Watcher = """
        trap '' INT TERM HUP PIPE
        folder=$1; shift
        "$@" </dev/null >/dev/null 2>&1 & pooler=$!
        read -r end
        kill -KILL "$pooler" 2>/dev/null
        wait "$pooler" 2>/dev/null
        rm -rf "$folder"
        """;

    private readonly Process _watcher;

    private PgBouncer(Process watcher, string connectionString)
    {
        _watcher = watcher;
        ConnectionString = connectionString;
    }

    /// <summary>Leads through the pooler. As its manual asks, connections are not reset when they are closed.</summary>
    public string ConnectionString { get; }

    /// <param name="server">Connection string of the database.</param>
    /// <param name="poolMode"><c>transaction</c> or <c>session</c>.</param>
    /// <param name="poolSize">Connections to the server.</param>
    public static async Task<PgBouncer> StartAsync(string server, string poolMode, int poolSize = 4)
    {
        var to = new NpgsqlConnectionStringBuilder(server);
        var port = FreePort();
        var folder = Directory.CreateTempSubdirectory("efc-pgbouncer-").FullName;
        var password = string.IsNullOrEmpty(to.Password) ? "" : $" password='{to.Password}'";
        await File.WriteAllTextAsync(Path.Combine(folder, "users.txt"), $"\"{to.Username}\" \"{to.Password}\"\n");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "pgbouncer.ini"),
            string.Create(CultureInfo.InvariantCulture, $"""
                [databases]
                {to.Database} = host={to.Host} port={to.Port} dbname={to.Database} user={to.Username}{password}
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = {port}
                unix_socket_dir =
                auth_type = any
                auth_file = {folder}/users.txt
                pool_mode = {poolMode}
                default_pool_size = {poolSize}
                max_client_conn = 200
                ignore_startup_parameters = extra_float_digits
                logfile = {folder}/log

                """));

        // PgBouncer refuses to run as root.
        string[] account = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] : [];
        if (account.Length > 0)
        {
            using var chown = Process.Start("chown", ["-R", "nobody", folder]);
            await chown.WaitForExitAsync();
        }

        var start = new ProcessStartInfo("setsid") { RedirectStandardInput = true, WorkingDirectory = "/" };
        foreach (var argument in (string[])["sh", "-c", Watcher, "efconcurrency-pgbouncer", folder, .. account, Binary(), Path.Combine(folder, "pgbouncer.ini")])
        {
            start.ArgumentList.Add(argument);
        }

        var pooler = new PgBouncer(Process.Start(start)!, Through(to, port));
        await pooler.UntilReadyAsync(folder);
        return pooler;
    }

    public async ValueTask DisposeAsync()
    {
        using (var pool = new NpgsqlConnection(ConnectionString))
        {
            NpgsqlConnection.ClearPool(pool);
        }

        _watcher.StandardInput.Close();
        await _watcher.WaitForExitAsync();
        _watcher.Dispose();
    }

    private static string Through(NpgsqlConnectionStringBuilder server, int port)
        => new NpgsqlConnectionStringBuilder(server.ConnectionString) { Host = "127.0.0.1", Port = port, NoResetOnClose = true }.ConnectionString;

    private static string Binary()
        => new[] { "/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer" }
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(f => Path.Combine(f, "pgbouncer")))
            .FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("PgBouncer is missing. ./test.sh installs it (Debian's package pgbouncer); otherwise put it on PATH.");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task UntilReadyAsync(string folder)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
                await connection.OpenAsync(deadline.Token);
                return;
            }
            catch (NpgsqlException exception)
            {
                var log = Path.Combine(folder, "log");
                if (File.Exists(log) && await File.ReadAllTextAsync(log, deadline.Token) is var text && text.Contains("FATAL", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException($"PgBouncer did not start: {text}", exception);
                }

                await Task.Delay(20, deadline.Token);
            }
        }
    }
}
