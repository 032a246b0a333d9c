namespace EfConcurrency.Testing;

/// <summary>
/// A throwaway RabbitMQ broker on loopback, with ports, data and Erlang port mapper of its own: several run beside each other and beside the system's
/// broker, without systemd and without root. It is ready in some seconds and gone when it is disposed or when this process ends, however it ends.
/// Taken from, in this order: the broker that <c>EFC_RABBITMQ</c> names (an AMQP URI; nothing on it is cleared away); RabbitMQ's programs on this machine.
/// </summary>
public sealed class LocalRabbitMq : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly RabbitMqNode? _node;

    private LocalRabbitMq(Uri uri, RabbitMqNode? node)
    {
        Uri = uri;
        _node = node;
    }

    /// <summary>Where clients connect, with user name and password. The same after every restart.</summary>
    public Uri Uri { get; }

    /// <summary>Starts a broker, or finds the one that <c>EFC_RABBITMQ</c> names.</summary>
    /// <param name="options">Settings; default: none.</param>
    /// <param name="cancellationToken">Stops waiting for the broker.</param>
    /// <returns>The broker, accepting clients.</returns>
    /// <exception cref="InvalidOperationException">There is no RabbitMQ on this machine, or it does not start.</exception>
    public static async Task<LocalRabbitMq> StartAsync(LocalRabbitMqOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (Environment.GetEnvironmentVariable("EFC_RABBITMQ") is { Length: > 0 } existing)
        {
            return new(new Uri(existing), node: null);
        }

        var (server, epmd) = RabbitMqBinaries.Find() ?? throw new InvalidOperationException(
            "No RabbitMQ was found in /usr/lib/rabbitmq, on PATH or beside it. Install it (Debian, Ubuntu: apt-get install rabbitmq-server; Fedora: dnf install rabbitmq-server; "
            + "macOS: brew install rabbitmq), or set EFC_RABBITMQ to the AMQP URI of a broker that tests may use, for example of a container.");
        var node = await RabbitMqNode.StartAsync(server, epmd, options ?? new(), cancellationToken).ConfigureAwait(false);
        var broker = new LocalRabbitMq(node.Uri, node);
        try
        {
            await broker.UntilReadyAsync(node, cancellationToken).ConfigureAwait(false);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Kills the broker (<c>SIGKILL</c>), as a crash of the machine would. Its data stays.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when the process is gone.</returns>
    /// <exception cref="InvalidOperationException">The broker is not a process of ours.</exception>
    public Task KillAsync(CancellationToken cancellationToken = default) => Node().SendAsync("kill", cancellationToken);

    /// <summary>Stops the broker in an orderly way. Its data stays.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when the process is gone.</returns>
    /// <exception cref="InvalidOperationException">The broker is not a process of ours.</exception>
    public Task StopAsync(CancellationToken cancellationToken = default) => Node().SendAsync("stop", cancellationToken);

    /// <summary>Starts the broker after <see cref="KillAsync"/> or <see cref="StopAsync"/>, on its data and its port.</summary>
    /// <param name="cancellationToken">Stops waiting for the broker.</param>
    /// <returns>A task that ends when the broker accepts clients.</returns>
    /// <exception cref="InvalidOperationException">The broker is not a process of ours, or does not start.</exception>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        await Node().SendAsync("start", cancellationToken).ConfigureAwait(false);
        await UntilReadyAsync(Node(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops the broker in an orderly way and starts it again.</summary>
    /// <param name="cancellationToken">Stops waiting for the broker.</param>
    /// <returns>A task that ends when the broker accepts clients.</returns>
    /// <exception cref="InvalidOperationException">The broker is not a process of ours, or does not start.</exception>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync(cancellationToken).ConfigureAwait(false);
        await StartAgainAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _node?.DisposeAsync() ?? ValueTask.CompletedTask;

    private RabbitMqNode Node()
        => _node ?? throw new InvalidOperationException(
            "This broker is not a process of LocalRabbitMq (EFC_RABBITMQ is set), so it is not stopped or killed. Unset EFC_RABBITMQ and install RabbitMQ on this machine for tests that need it.");

    private async Task UntilReadyAsync(RabbitMqNode node, CancellationToken cancellationToken)
    {
        if (!await RabbitMqGreeting.IsGivenAsync(Uri, Patience, node.HasEnded, cancellationToken).ConfigureAwait(false))
        {
            throw new InvalidOperationException(
                $"RabbitMQ ended, or did not accept a client within {Patience.TotalSeconds} s. What it said: {await node.LogAsync(cancellationToken).ConfigureAwait(false)}");
        }
    }
}
