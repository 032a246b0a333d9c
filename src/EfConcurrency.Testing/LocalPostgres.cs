using Npgsql;

namespace EfConcurrency.Testing;

/// <summary>
/// A throwaway PostgreSQL server, ready in about a second and gone when it is disposed or when this process ends, however it ends.
/// Taken from, in this order: the server that <c>EFC_POSTGRES</c> names (a connection string; only databases made here are dropped);
/// PostgreSQL's programs on this machine; a container, where a Docker engine is and the package was built with
/// <c>UseTestcontainers</c>.
/// </summary>
public class LocalPostgres : IAsyncDisposable
{
    private readonly IAsyncDisposable? _owned;
    private readonly ServerProcess? _process;
    private readonly DatabasePool _databases;

    private protected LocalPostgres(string connectionString, LocalPostgresOptions options, ServerProcess? process, IAsyncDisposable? owned)
    {
        ConnectionString = connectionString;
        Options = options;
        _process = process;
        _owned = owned;
        _databases = new DatabasePool(connectionString);
    }

    /// <summary>A connection to the database <c>postgres</c> as a superuser.</summary>
    public string ConnectionString { get; }

    /// <summary>Folder of PostgreSQL's programs (<c>pgbench</c>, <c>psql</c>) that belong to the server; null for a server named by <c>EFC_POSTGRES</c> and for a container.</summary>
    public string? BinaryFolder { get; private protected init; }

    internal LocalPostgresOptions Options { get; }

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
            return new(existing, options, process: null, owned: null);
        }

        if (PostgresBinaries.Find() is { } binaries)
        {
            var (process, connectionString) = await PostgresLauncher.LaunchAsync(binaries, options, f => PostgresProcess.NewData(binaries, f), cancellationToken).ConfigureAwait(false);
            return new(connectionString, options, process, owned: null) { BinaryFolder = binaries };
        }

#if TESTCONTAINERS
        var container = new Testcontainers.PostgreSql.PostgreSqlBuilder().WithImage("postgres:17").Build();
        await container.StartAsync(cancellationToken).ConfigureAwait(false);
        return new(container.GetConnectionString(), options, process: null, container);
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

    /// <summary>
    /// Starts a second server that follows this one by streaming replication: a copy to read from, and to promote. It does not hold
    /// up commits here until <see cref="LocalPostgresStandby.MakeSynchronousAsync"/>.
    /// </summary>
    /// <param name="options">Settings of the standby; default: those of this server. Settings not named are those of this server, and so is a higher <see cref="LocalPostgresOptions.MaxConnections"/>.</param>
    /// <param name="cancellationToken">Stops waiting for the standby.</param>
    /// <returns>The standby, streaming.</returns>
    /// <exception cref="InvalidOperationException">This server is not a process of ours, lacks <c>wal_level</c> or <c>max_wal_senders</c> for replication (PostgreSQL's defaults suffice), or the standby does not start.</exception>
    public Task<LocalPostgresStandby> StartStandbyAsync(LocalPostgresOptions? options = null, CancellationToken cancellationToken = default)
    {
        _ = Process();
        return LocalPostgresStandby.StartAsync(this, options, cancellationToken);
    }

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
        timeout.CancelAfter(PostgresQuery.Patience);
        while (true)
        {
            // Backends of a killed server hold its shared memory for a moment; a start in that moment fails and is repeated.
            await Process().SendAsync("start", timeout.Token).ConfigureAwait(false);
            if (await PostgresQuery.AcceptsAsync(ConnectionString, TimeSpan.FromSeconds(5), timeout.Token).ConfigureAwait(false))
            {
                return;
            }
        }
    }

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        // Ours is stopped first: its databases go with its folder, and dropping one could wait for a synchronous standby that is cut off.
        if (_process is not null)
        {
            await _process.DisposeAsync().ConfigureAwait(false);
        }

        await _databases.DisposeAsync().ConfigureAwait(false);
        NpgsqlConnection.ClearAllPools();
        if (_owned is not null)
        {
            await _owned.DisposeAsync().ConfigureAwait(false);
        }

        GC.SuppressFinalize(this);
    }

    private ServerProcess Process()
        => _process ?? throw new InvalidOperationException(
            "This server is not a process of LocalPostgres (EFC_POSTGRES is set, or it runs in a container), so it is not stopped or killed. Unset EFC_POSTGRES and install PostgreSQL on this machine for tests that need it.");
}
