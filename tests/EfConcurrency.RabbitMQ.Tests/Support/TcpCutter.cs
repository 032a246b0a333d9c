using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>A wire to the broker that can be held, each way, and cut.</summary>
internal sealed class TcpCutter : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<TcpClient, bool> _clients = new();
    private readonly Uri _broker;
    private readonly Task _accepting;
    private TaskCompletionSource _answers = Open();
    private TaskCompletionSource _requests = Open();

    private TcpCutter(Uri broker)
    {
        _broker = broker;
        _listener.Start();
        Uri = new UriBuilder(broker) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
        _accepting = AcceptAsync();
    }

    public Uri Uri { get; }

    public int Accepted { get; private set; }

    public static TcpCutter Start(Uri broker) => new(broker);

    /// <summary>What the broker says is kept back from now on.</summary>
    public void HoldAnswers() => _answers = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReleaseAnswers() => _answers.TrySetResult();

    /// <summary>What the broker is told is kept back from now on; a cut loses it.</summary>
    public void HoldRequests() => _requests = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReleaseRequests() => _requests.TrySetResult();

    public void Cut()
    {
        foreach (var client in _clients.Keys)
        {
            // A reset, not an orderly end. Null: it has ended by itself.
            client.Client?.Close(timeout: 0);
            client.Dispose();
            _clients.TryRemove(client, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        ReleaseAnswers();
        ReleaseRequests();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private static TaskCompletionSource Open()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Accepted++;
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        var broker = new TcpClient();
        try
        {
            await broker.ConnectAsync(_broker.Host, _broker.Port, _stop.Token);
            _clients[client] = true;
            _clients[broker] = true;
            await Task.WhenAny(CopyAsync(client, broker, isAnswer: false), CopyAsync(broker, client, isAnswer: true));
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
        }
        finally
        {
            client.Dispose();
            broker.Dispose();
            _clients.TryRemove(client, out _);
            _clients.TryRemove(broker, out _);
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, bool isAnswer)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _stop.Token) is var read && read > 0)
            {
                await (isAnswer ? _answers : _requests).Task;

                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
        }
    }
}
