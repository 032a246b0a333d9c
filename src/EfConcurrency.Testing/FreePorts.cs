using System.Net;
using System.Net.Sockets;

namespace EfConcurrency.Testing;

/// <summary>Ports of this machine that nobody listens on.</summary>
internal static class FreePorts
{
    /// <summary>That many different ones. Another process may take one before it is used; a server says so in its log then.</summary>
    public static int[] Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            return [.. listeners.Select(l =>
            {
                l.Start();
                return ((IPEndPoint)l.LocalEndpoint).Port;
            })];
        }
        finally
        {
            listeners.ForEach(l => l.Dispose());
        }
    }
}
