namespace EfConcurrency.Resilience;

/// <summary>Pauses between attempts: exponential, capped, and half random, so that those who collided don't meet again.</summary>
internal static class BackOff
{
    /// <param name="options">Base and cap.</param>
    /// <param name="failedAttempts">1 after the first failure.</param>
    /// <param name="random">From 0 to below 1.</param>
    public static TimeSpan Delay(ConflictRetryOptions options, int failedAttempts, double random)
    {
        var bound = Math.Min(options.BaseDelay.TotalMilliseconds * Math.Pow(2, failedAttempts - 1), options.MaxDelay.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(bound * (0.5 + (random / 2)));
    }
}
