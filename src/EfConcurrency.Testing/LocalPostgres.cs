using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace EfConcurrency.Testing;

/// <summary>
/// A throwaway PostgreSQL server, ready in about a second and gone when it is disposed or when this process ends, however it ends.
/// Taken from, in this order: the server that <c>EFC_POSTGRES</c> names (a connection string; only databases made here are dropped);
/// PostgreSQL's programs on this machine; a container, where a Docker engine is and the package was built with
/// <c>UseTestcontainers</c>.
/// </summary>
public sealed class LocalPostgres : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly IAsyncDisposable? _owned;
    private readonly PostgresProcess? _process;
    private readonly DatabasePool _databases;

    private LocalPostgres(string connectionString, PostgresProcess? process, IAsyncDisposable? owned)
    {
        ConnectionString = connectionString;
        _process = process;
        _owned = owned;
        _databases = new DatabasePool(connectionString);
    }

    /// <summary>A connection to the database <c>postgres</c> as a superuser.</summary>
    public string ConnectionString { get; }

    /// <summary>Folder of PostgreSQL's programs (<c>pgbench</c>, <c>psql</c>) that belong to the server; null for a server named by <c>EFC_POSTGRES</c> and for a container.</summary>
    public string? BinaryFolder { get; private init; }

    /// <summary>Starts a server, or finds the one that <c>EFC_POSTGRES</c> names.</summary>
    /// <param name="options">Settings; default: fast and not durable.</param>
    /// <param name="cancellationToken">Stops waiting for the server.</param>
    /// <returns>The server, accepting connections.</returns>
    /// <exception cref="InvalidOperationException">There is no PostgreSQL on this machine, or it does not start.</exception>
    public static async Task<LocalPostgres> StartAsync(LocalPostgresOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        if (Environment.GetEnvironmentVariable("EFC_POSTGRES") is { Length: > 0 } existing)
        {
            return new(existing, process: null, owned: null);
        }

        if (PostgresBinaries.Find() is { } binaries)
        {
            return await StartProcessAsync(binaries, options, cancellationToken).ConfigureAwait(false);
        }

#if TESTCONTAINERS
        var container = new Testcontainers.PostgreSql.PostgreSqlBuilder().WithImage("postgres:17").Build();
        await container.StartAsync(cancellationToken).ConfigureAwait(false);
        return new(container.GetConnectionString(), process: null, container);
#else
        throw new InvalidOperationException(
            "No PostgreSQL was found on PATH, in /usr/lib/postgresql or beside it. Install it (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; "
            + "macOS: brew install postgresql), or set EFC_POSTGRES to the connection string of a server this user may create databases on, or start Docker and build with -p:UseTestcontainers=true.");
#endif
    }

    /// <summary>Makes an empty database. It is dropped when the result is disposed.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The database.</returns>
    public Task<TestDatabase> CreateDatabaseAsync(CancellationToken cancellationToken = default) => _databases.TakeAsync(cancellationToken);

    /// <summary>Stops the server in an orderly way (sessions are ended) and starts it again.</summary>
    /// <param name="cancellationToken">Stops waiting for the server.</param>
    /// <returns>A task that ends when the server accepts connections.</returns>
    /// <exception cref="InvalidOperationException">The server is not a process of ours.</exception>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await Process().SendAsync("stop", cancellationToken).ConfigureAwait(false);
        await StartAgainAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills the server's main process (<c>SIGKILL</c>), as a crash of the machine would.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when the process is gone.</returns>
    /// <exception cref="InvalidOperationException">The server is not a process of ours.</exception>
    public Task KillAsync(CancellationToken cancellationToken = default) => Process().SendAsync("kill", cancellationToken);

    /// <summary>Starts the server after <see cref="KillAsync"/>; it recovers from its log.</summary>
    /// <param name="cancellationToken">Stops waiting for the server.</param>
    /// <returns>A task that ends when the server accepts connections.</returns>
    /// <exception cref="InvalidOperationException">The server is not a process of ours, or does not start.</exception>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        while (true)
        {
            // Backends of a killed server hold its shared memory for a moment; a start in that moment fails and is repeated.
            await Process().SendAsync("start", timeout.Token).ConfigureAwait(false);
            if (await AcceptsAsync(ConnectionString, TimeSpan.FromSeconds(5), timeout.Token).ConfigureAwait(false))
            {
                return;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _databases.DisposeAsync().ConfigureAwait(false);
        NpgsqlConnection.ClearAllPools();
        if (_process is not null)
        {
            await _process.DisposeAsync().ConfigureAwait(false);
        }

        if (_owned is not null)
        {
            await _owned.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<LocalPostgres> StartProcessAsync(string binaries, LocalPostgresOptions options, CancellationToken cancellationToken)
    {
        PostgresFolder.RemoveStale();
        var folder = PostgresFolder.Create();
        var port = FreePort();
        var process = await PostgresProcess.StartAsync(binaries, folder, Settings(options, folder, port), cancellationToken).ConfigureAwait(false);
        var connectionString = string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres");

        if (!await AcceptsAsync(connectionString, StartTimeout, cancellationToken).ConfigureAwait(false))
        {
            var log = File.Exists(folder.Log) ? await File.ReadAllTextAsync(folder.Log, cancellationToken).ConfigureAwait(false) : "(no log)";
            await process.DisposeAsync().ConfigureAwait(false);
            throw new InvalidOperationException($"PostgreSQL of '{binaries}' did not accept a connection within {StartTimeout.TotalSeconds} s. Its log: {log}");
        }

        return new(connectionString, process, owned: null) { BinaryFolder = binaries };
    }

    private static Dictionary<string, string> Settings(LocalPostgresOptions options, PostgresFolder folder, int port)
    {
        var settings = new Dictionary<string, string>
        {
            ["port"] = port.ToString(CultureInfo.InvariantCulture),
            ["listen_addresses"] = "127.0.0.1",
            ["unix_socket_directories"] = folder.FullPath,
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
            ["fsync"] = options.Durable ? "on" : "off",
            ["full_page_writes"] = options.Durable ? "on" : "off",
        };
        foreach (var (name, value) in options.Settings)
        {
            settings[name] = value;
        }

        return settings;
    }

    private static async Task<bool> AcceptsAsync(string connectionString, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = 5 }.ConnectionString;
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < timeout)
        {
            try
            {
                var connection = new NpgsqlConnection(unpooled);
                await using (connection.ConfigureAwait(false))
                {
                    await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
                    return true;
                }
            }
            catch (NpgsqlException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken).ConfigureAwait(false);
            }
        }

        return false;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private PostgresProcess Process()
        => _process ?? throw new InvalidOperationException(
            "This server is not a process of LocalPostgres (EFC_POSTGRES is set, or it runs in a container), so it is not stopped or killed. Unset EFC_POSTGRES and install PostgreSQL on this machine for tests that need it.");
}
