namespace EfConcurrency.RabbitMQ;

/// <summary>Pauses between attempts: exponential, capped, and half random, so that those who lost the same broker don't come back together.</summary>
internal static class BackOff
{
    /// <param name="first">After the first failure.</param>
    /// <param name="longest">The cap.</param>
    /// <param name="failures">1 after the first failure.</param>
    public static TimeSpan Delay(TimeSpan first, TimeSpan longest, int failures) => Bound(first, longest, failures) * (0.5 + (Random.Shared.NextDouble() / 2));

    public static TimeSpan Bound(TimeSpan first, TimeSpan longest, int failures)
        => TimeSpan.FromMilliseconds(Math.Min(first.TotalMilliseconds * Math.Pow(2, failures - 1), longest.TotalMilliseconds));
}
