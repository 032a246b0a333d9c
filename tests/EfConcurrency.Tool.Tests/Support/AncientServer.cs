using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EfConcurrency.Tool.Tests.Support;

/// <summary>Says that it is PostgreSQL 13, as the real one does when a session begins, and knows nothing else. https://www.postgresql.org/docs/current/protocol-flow.html</summary>
internal sealed class AncientServer : IAsyncDisposable
{
    private const int LongestRequest = 10_000;
    private const int StartupVersion = 196_608;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public AncientServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public string ConnectionString
        => $"Host=127.0.0.1;Port={((IPEndPoint)_listener.LocalEndpoint).Port};Username=u;Password={ToolDatabase.Password};Database=d;Server Compatibility Mode=NoTypeLoading";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await GreetAsync(client.GetStream());
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task GreetAsync(NetworkStream stream)
    {
        var head = new byte[8];
        while (true)
        {
            await stream.ReadExactlyAsync(head, _stop.Token);
            var length = BinaryPrimitives.ReadInt32BigEndian(head);
            await stream.ReadExactlyAsync(new byte[Math.Clamp(length - 8, 0, LongestRequest)], _stop.Token);
            if (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)) == StartupVersion)
            {
                break;
            }

            // No TLS, no GSSAPI.
            await stream.WriteAsync("N"u8.ToArray(), _stop.Token);
        }

        var answer = new List<byte>();
        Add(answer, 'R', [0, 0, 0, 0]);
        foreach (var (name, value) in ((string, string)[])[("server_version", "13.22"), ("client_encoding", "UTF8"), ("standard_conforming_strings", "on"), ("integer_datetimes", "on")])
        {
            Add(answer, 'S', Encoding.UTF8.GetBytes($"{name}\0{value}\0"));
        }

        Add(answer, 'K', [0, 0, 0, 1, 0, 0, 0, 2]);
        Add(answer, 'Z', [(byte)'I']);
        await stream.WriteAsync(answer.ToArray(), _stop.Token);

        // Until the client has gone.
        while (await stream.ReadAsync(new byte[1024], _stop.Token) > 0)
        {
        }
    }

    private static void Add(List<byte> answer, char kind, byte[] body)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, body.Length + 4);
        answer.Add((byte)kind);
        answer.AddRange(length);
        answer.AddRange(body);
    }
}
