namespace EfConcurrency.Testing;

/// <summary>
/// Counts what clients of a <see cref="FaultProxy"/> send and wait for. One round trip is one burst of messages that the server
/// answers; commands that are sent together count as one. Opening a connection is not counted.
/// </summary>
public sealed class RoundTripCounter
{
    private readonly ProxyTraffic _traffic;
    private readonly (long RoundTrips, long Sent, long Received) _start;

    internal RoundTripCounter(ProxyTraffic traffic)
    {
        _traffic = traffic;
        _start = (traffic.RoundTrips, traffic.BytesSent, traffic.BytesReceived);
    }

    /// <summary>Round trips so far.</summary>
    public long Count => _traffic.RoundTrips - _start.RoundTrips;

    /// <summary>Bytes that clients sent so far.</summary>
    public long BytesSent => _traffic.BytesSent - _start.Sent;

    /// <summary>Bytes that the server sent so far.</summary>
    public long BytesReceived => _traffic.BytesReceived - _start.Received;
}
