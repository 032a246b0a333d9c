using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace EfConcurrency.Testing;

/// <summary>
/// A proxy on loopback in front of PostgreSQL that can delay, hold and cut connections, spoil a commit at an exact point, and count
/// round trips. It reads the protocol message by message, so a fault falls on the message that is meant
/// (https://www.postgresql.org/docs/current/protocol-flow.html).
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<ProxyConnection, Task> _connections = new();
    private readonly string _upstreamHost;
    private readonly int _upstreamPort;
    private readonly Task _accepting;
    private readonly Lock _lock = new();
    private TaskCompletionSource _open = Opened();
    private int _isDisposed;
    private int _injected;
    private (CommitFault Fault, bool OnSync, int Skip, TaskCompletionSource Done)? _next;

    private FaultProxy(string connectionString)
    {
        var upstream = new NpgsqlConnectionStringBuilder(connectionString);
        _upstreamHost = upstream.Host!;
        _upstreamPort = upstream.Port;
        _listener.Start();
        upstream.Host = "127.0.0.1";
        upstream.Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        upstream.SslMode = SslMode.Disable;
        upstream.GssEncryptionMode = GssEncryptionMode.Disable;

        // A later proxy may get the same port. With a name of its own it never shares a pool, and the dead connections in it, with this one.
        upstream.ApplicationName = $"{upstream.ApplicationName} fault proxy {Guid.NewGuid():n}".Trim();
        ConnectionString = upstream.ConnectionString;
        _accepting = AcceptAsync();
    }

    /// <summary>The connection string with which clients reach the server through the proxy; its application name is this proxy's own.</summary>
    public string ConnectionString { get; }

    /// <summary>How long every chunk of bytes is delayed, in each direction.</summary>
    /// <value>none</value>
    public TimeSpan Delay { get; set; }

    /// <summary>The fault for each commit for which <see cref="When"/> says yes. A commit is COMMIT or END as a statement of its own.</summary>
    /// <value><see cref="CommitFault.None"/></value>
    public CommitFault CommitFault { get; set; }

    /// <summary>Which commits get <see cref="CommitFault"/>. Called once a commit, possibly from several connections at a time.</summary>
    /// <value>all</value>
    public Func<bool> When { get; set; } = static () => true;

    /// <summary>Number of commits that were spoiled.</summary>
    public int CommitFaultsInjected => Volatile.Read(ref _injected);

    /// <summary>While true, bytes are held in both directions and connections stay open, as when a cable is pulled.</summary>
    /// <value><see langword="false"/></value>
    public bool BlackHole
    {
        get => !_open.Task.IsCompleted;
        set
        {
            lock (_lock)
            {
                if (!value)
                {
                    _open.TrySetResult();
                }
                else if (_open.Task.IsCompleted)
                {
                    _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
    }

    internal ProxyTraffic Traffic { get; } = new();

    /// <summary>Starts a proxy in front of the server of a connection string.</summary>
    /// <param name="connectionString">The server. Encryption is switched off: the proxy must read the messages.</param>
    /// <returns>The proxy, accepting connections.</returns>
    public static FaultProxy Start(string connectionString) => new(connectionString);

    /// <summary>Spoils the next commit.</summary>
    /// <param name="fault">How.</param>
    /// <returns>A task that ends when it has happened.</returns>
    public Task FaultNextCommit(CommitFault fault) => Arm(fault, onSync: false, skip: 0);

    /// <summary>
    /// Spoils the next batch of extended-protocol messages (up to its Sync) of any connection: outside of a transaction this is an
    /// implicit commit, without a COMMIT to wait for.
    /// </summary>
    /// <param name="fault">How.</param>
    /// <param name="skip">How many batches come through before, 0 or more: with 0, 1, 2 … a fault falls on every step of an operation in turn.</param>
    /// <returns>A task that ends when it has happened.</returns>
    public Task FaultNextBatch(CommitFault fault, int skip = 0) => Arm(fault, onSync: true, skip);

    /// <summary>Counts network round trips until the result is disposed.</summary>
    /// <returns>The counter.</returns>
    public RoundTripCounter CountRoundTrips() => new(Traffic);

    /// <summary>Cuts all connections (TCP reset).</summary>
    public void CutAll()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Cut();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        BlackHole = false;
        CutAll();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections.Values).ConfigureAwait(false);
        _stop.Dispose();
        using var pool = new NpgsqlConnection(ConnectionString);
        NpgsqlConnection.ClearPool(pool);
    }

    internal Task WhileOpen() => _open.Task;

    /// <summary>The fault for a message that ends a batch; <paramref name="isCommit"/>: it is a COMMIT.</summary>
    internal CommitFault Judge(bool isCommit)
    {
        lock (_lock)
        {
            if (_next is { } next && (next.OnSync || isCommit))
            {
                if (next.Skip > 0)
                {
                    _next = next with { Skip = next.Skip - 1 };
                    return CommitFault.None;
                }

                _next = null;
                Interlocked.Increment(ref _injected);
                next.Done.SetResult();
                return next.Fault;
            }
        }

        if (!isCommit || CommitFault == CommitFault.None || !When())
        {
            return CommitFault.None;
        }

        Interlocked.Increment(ref _injected);
        return CommitFault;
    }

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }

    private Task Arm(CommitFault fault, bool onSync, int skip)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _next = (fault, onSync, skip, done);
        }

        return done.Task;
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                var connection = new ProxyConnection(this, client);
                _connections[connection] = RunAsync(connection);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RunAsync(ProxyConnection connection)
    {
        await Task.Yield();
        using (connection)
        {
            await connection.RunAsync(_upstreamHost, _upstreamPort).ConfigureAwait(false);
        }

        _connections.TryRemove(connection, out _);
    }
}
