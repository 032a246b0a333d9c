using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace EfConcurrency.RabbitMQ;

/// <summary>
/// A connection that is made when it is needed, and made again after a pause when it has ended. The client library's own recovery is off: it does not cover the first
/// connection, has no jitter, and brings channels back under their users, who then can't tell which deliveries and confirmations belong to which life.
/// </summary>
internal sealed class RabbitMqConnection : IAsyncDisposable
{
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(5);

    private readonly string _name;
    private readonly RabbitMqConnectionOptions _options;
    private readonly RabbitMqTopology _topology;
    private readonly RabbitMqStatus _status;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _oneAttempt = new(1);
    private readonly Lock _lock = new();
    private IConnection? _connection;
    private long _connectedAt;
    private (long At, TimeSpan Delay)? _pause;
    private int _failures;
    private Exception? _failure;

    public RabbitMqConnection(
        string name, RabbitMqConnectionOptions options, RabbitMqTopology topology, RabbitMqStatus status, ILogger logger, TimeProvider time)
    {
        (_name, _options, _topology, _status, _logger, _time) = (name, options, topology, status, logger, time);
        Broker = options.ToFactory().Endpoint is var endpoint ? $"{endpoint.HostName}:{endpoint.Port}" : "";
        status.Add(this);
    }

    public string Name => _name;

    public string Broker { get; }

    public RabbitMqConnectionStatus Status
    {
        get
        {
            lock (_lock)
            {
                var isConnected = _connection is { IsOpen: true };
                return new(_name, Broker, isConnected, isConnected && IsStable() ? 0 : _failures, isConnected ? null : _failure?.Message);
            }
        }
    }

    /// <summary>The open connection, or a new one.</summary>
    /// <exception cref="RabbitMqUnavailableException">The attempt failed, or the pause after the last one is not over.</exception>
    public async ValueTask<IConnection> GetAsync(CancellationToken cancellationToken)
    {
        if (_connection is { IsOpen: true } open)
        {
            return open;
        }

        await _oneAttempt.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_connection is { IsOpen: true } made)
            {
                return made;
            }

            ThrowWhilePausing();
            return await ConnectAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _oneAttempt.Release();
        }
    }

    /// <summary>Gives a connection up that does not answer. A newer one is left alone.</summary>
    public void Drop(IConnection connection, Exception failure)
    {
        Ended(connection, failure, pause: true);
        _ = CloseAsync(connection);
    }

    public RabbitMqUnavailableException Unavailable(string what, Exception? failure)
    {
        lock (_lock)
        {
            return new(_name, Broker, what, Remaining(), failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _status.Remove(this);
        await _oneAttempt.WaitAsync().ConfigureAwait(false);
        if (_connection is { } connection)
        {
            _connection = null;
            await CloseAsync(connection).ConfigureAwait(false);
        }

        // Not disposed: whoever still waits for it must get an answer.
        _oneAttempt.Release();
    }

    /// <summary>Waits for an orderly end, but not long: a broker that hangs must not hold up the process.</summary>
    private static async Task CloseAsync(IConnection connection)
    {
        await connection.CloseAsync(Constants.ReplySuccess, "Goodbye", ClosePatience, abort: true).WaitAsync(ClosePatience * 2).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ = connection.DisposeAsync().AsTask();
    }

    private async Task<IConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        IConnection? connection = null;
        try
        {
            var factory = _options.ToFactory();
            connection = await factory.CreateConnectionAsync(_options.Endpoints(factory), $"{_name} @ {Environment.MachineName}", cancellationToken).ConfigureAwait(false);
            await _topology.DeclareAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            if (connection is not null)
            {
                await CloseAsync(connection).ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw Failed(failure);
        }

        lock (_lock)
        {
            _connection = connection;
            _connectedAt = _time.GetTimestamp();
            _pause = null;
        }

        connection.ConnectionShutdownAsync += (_, reason) => EndedAsync(connection, reason);
        RabbitMqMeter.Connect(_name, succeeded: true);
        RabbitMqLog.Connected(_logger, _name, Broker);
        return connection;
    }

    private RabbitMqUnavailableException Failed(Exception failure)
    {
        lock (_lock)
        {
            _failure = failure;
            Pause();
        }

        RabbitMqMeter.Connect(_name, succeeded: false);
        RabbitMqLog.ConnectFailed(_logger, _name, Broker, Remaining().TotalSeconds, failure);
        return Unavailable("can't be opened", failure);
    }

    private Task EndedAsync(IConnection connection, ShutdownEventArgs reason)
    {
        if (reason.Initiator != ShutdownInitiator.Application)
        {
            Ended(connection, reason.Exception ?? new IOException($"{reason.ReplyCode} {reason.ReplyText}"), pause: !CrossedPublish.Is(reason));
        }

        return Task.CompletedTask;
    }

    private void Ended(IConnection connection, Exception failure, bool pause)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(_connection, connection))
            {
                return;
            }

            _connection = null;
            _failure = failure;
            if (IsStable())
            {
                _failures = 0;
            }

            if (pause)
            {
                Pause();
            }
        }

        RabbitMqLog.ConnectionLost(_logger, _name, Broker, failure.Message);
    }

    private bool IsStable() => _time.GetElapsedTime(_connectedAt) > _options.MaxReconnectDelay;

    private void Pause() => _pause = (_time.GetTimestamp(), BackOff.Delay(_options.MinReconnectDelay, _options.MaxReconnectDelay, ++_failures));

    private TimeSpan Remaining() => _pause is var (at, delay) && _time.GetElapsedTime(at) is var passed && passed < delay ? delay - passed : TimeSpan.Zero;

    private void ThrowWhilePausing()
    {
        Exception? failure;
        lock (_lock)
        {
            if (Remaining() == TimeSpan.Zero)
            {
                return;
            }

            failure = _failure;
        }

        throw Unavailable("is down", failure);
    }
}
