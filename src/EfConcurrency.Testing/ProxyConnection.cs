using System.Net.Sockets;

namespace EfConcurrency.Testing;

/// <summary>One client of a <see cref="FaultProxy"/> and its connection to the server.</summary>
internal sealed class ProxyConnection(FaultProxy proxy, TcpClient client) : IDisposable
{
    private const byte ReadyForQuery = (byte)'Z';

    private readonly TcpClient _server = new() { NoDelay = true };
    private readonly FrontendMessages _messages = new();
    private readonly TaskCompletionSource _cut = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int _isAwaited;

    /// <summary>How much of what is held back has been read already.</summary>
    private int _scanned;
    private int _isClosed;
    private volatile CommitFault _fault;

    public async Task RunAsync(string host, int port)
    {
        client.NoDelay = true;
        try
        {
            await _server.ConnectAsync(host, port).ConfigureAwait(false);
            await Task.WhenAny(UpAsync(), DownAsync(), _cut.Task).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // The server is away: the client sees a cut.
        }
    }

    /// <summary>Resets both connections.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            Reset(client);
            Reset(_server);
        }
    }

    /// <summary>Cuts at once: when this returns, nothing passes any more.</summary>
    public void Cut()
    {
        Dispose();
        _cut.TrySetResult();
    }

    private static void Reset(TcpClient connection)
    {
        try
        {
            connection.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed by the other side.
        }

        connection.Close();
    }

    /// <summary>Client to server, whole batches only: a COMMIT takes effect before the Sync behind it arrives, so a fault falls on all or nothing.</summary>
    private async Task UpAsync()
    {
        var buffer = new byte[64 * 1024];
        var filled = 0;
        try
        {
            while (true)
            {
                var read = await client.GetStream().ReadAsync(buffer.AsMemory(filled)).ConfigureAwait(false);
                if (read == 0)
                {
                    return;
                }

                filled += read;
                proxy.Traffic.AddSent(read);
                var (length, isCutBefore) = ReadMessages(buffer.AsSpan(0, filled));
                await PassAsync(_server, buffer.AsMemory(0, length)).ConfigureAwait(false);
                if (isCutBefore)
                {
                    return;
                }

                buffer.AsSpan(length, filled - length).CopyTo(buffer);
                filled -= length;
                _scanned -= length;
                if (filled == buffer.Length)
                {
                    Array.Resize(ref buffer, buffer.Length * 2);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One side is gone; RunAsync closes the other.
        }
    }

    /// <summary>How many bytes of whole batches may go to the server, and whether the connection is cut after them.</summary>
    private (int Length, bool IsCutBefore) ReadMessages(ReadOnlySpan<byte> bytes)
    {
        var passed = 0;
        while (_messages.Length(bytes[_scanned..]) is > 0 and var length)
        {
            var meaning = _messages.Read(bytes.Slice(_scanned, length));
            _scanned += length;
            if (meaning == FrontendMessages.Meaning.Part || _fault == CommitFault.BlackHoleRequest)
            {
                continue;
            }

            if (meaning != FrontendMessages.Meaning.Other)
            {
                var fault = proxy.Judge(meaning == FrontendMessages.Meaning.Commit);
                if (fault == CommitFault.CutBefore)
                {
                    return (passed, true);
                }

                if (fault != CommitFault.None)
                {
                    _fault = fault;
                }

                if (fault == CommitFault.BlackHoleRequest)
                {
                    continue;
                }

                if (Interlocked.Exchange(ref _isAwaited, 1) == 0)
                {
                    proxy.Traffic.AddRoundTrip();
                }
            }

            passed = _scanned;
        }

        return (passed, false);
    }

    private async Task DownAsync()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var read = await _server.GetStream().ReadAsync(buffer).ConfigureAwait(false);
                if (read == 0 || _fault == CommitFault.CutAfter)
                {
                    // The server has answered, so it has committed; the client never hears of it.
                    return;
                }

                if (_fault == CommitFault.BlackHoleReply)
                {
                    continue;
                }

                // ReadyForQuery is always the last message of a reply: 'Z', length 5, status.
                if (read >= 6 && buffer[read - 6] == ReadyForQuery)
                {
                    Interlocked.Exchange(ref _isAwaited, 0);
                }

                proxy.Traffic.AddReceived(read);
                await PassAsync(client, buffer.AsMemory(0, read)).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One side is gone; RunAsync closes the other.
        }
    }

    private async Task PassAsync(TcpClient to, ReadOnlyMemory<byte> bytes)
    {
        if (proxy.Delay > TimeSpan.Zero)
        {
            await Task.Delay(proxy.Delay).ConfigureAwait(false);
        }

        await proxy.WhileOpen().ConfigureAwait(false);
        await to.GetStream().WriteAsync(bytes).ConfigureAwait(false);
    }
}
