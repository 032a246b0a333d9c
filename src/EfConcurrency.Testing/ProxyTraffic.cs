namespace EfConcurrency.Testing;

/// <summary>Totals of a proxy; a counter takes differences.</summary>
internal sealed class ProxyTraffic
{
    private long _roundTrips;
    private long _sent;
    private long _received;

    public long RoundTrips => Interlocked.Read(ref _roundTrips);

    public long BytesSent => Interlocked.Read(ref _sent);

    public long BytesReceived => Interlocked.Read(ref _received);

    public void AddRoundTrip() => Interlocked.Increment(ref _roundTrips);

    public void AddSent(int bytes) => Interlocked.Add(ref _sent, bytes);

    public void AddReceived(int bytes) => Interlocked.Add(ref _received, bytes);
}
