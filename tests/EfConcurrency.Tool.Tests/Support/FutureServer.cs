using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace EfConcurrency.Tool.Tests.Support;

/// <summary>A real server that says, as a session begins, that it is PostgreSQL 99. For servers that let everybody in without TLS.</summary>
internal sealed class FutureServer : IAsyncDisposable
{
    private const string Version = "server_version\0";

    /// <summary>ReadyForQuery, the last of a server's greeting. https://www.postgresql.org/docs/current/protocol-message-formats.html</summary>
    private static readonly byte[] Ready = [(byte)'Z', 0, 0, 0, 5];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly NpgsqlConnectionStringBuilder _settings;
    private readonly Task _serving;

    public FutureServer(string connectionString)
    {
        _settings = new(connectionString);
        _listener.Start();
        _serving = ServeAsync();
    }

    public string ConnectionString
        => new NpgsqlConnectionStringBuilder(_settings.ConnectionString) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port, SslMode = SslMode.Disable, GssEncryptionMode = GssEncryptionMode.Disable }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                sessions.Add(PassAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using var server = new TcpClient();
        try
        {
            await server.ConnectAsync(_settings.Host!, _settings.Port, _stop.Token);
            var asking = client.GetStream().CopyToAsync(server.GetStream(), _stop.Token);
            await client.GetStream().WriteAsync(await GreetingAsync(server.GetStream()), _stop.Token);
            await Task.WhenAny(asking, server.GetStream().CopyToAsync(client.GetStream(), _stop.Token));
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException)
        {
            // The session is over.
        }
        finally
        {
            client.Dispose();
        }
    }

    private async Task<byte[]> GreetingAsync(NetworkStream server)
    {
        var greeting = new List<byte>();
        var buffer = new byte[8192];
        while (greeting.ToArray().AsSpan().IndexOf(Ready) < 0)
        {
            var read = await server.ReadAsync(buffer, _stop.Token);
            greeting.AddRange(read > 0 ? buffer[..read] : throw new IOException("The server has closed the session."));
        }

        var bytes = greeting.ToArray();
        "99"u8.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Version)) + Version.Length));
        return bytes;
    }
}
