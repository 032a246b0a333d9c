using EfConcurrency.Versioning;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>What the tests of RetryOnConflict retry under: without a pause.</summary>
internal static class RetryOptions
{
    public static readonly RetryOnConflictOptions NoPause = new() { BaseDelay = TimeSpan.Zero, MaxDelay = TimeSpan.Zero };

    public static readonly RetryOnConflictOptions PerSave = new() { BaseDelay = TimeSpan.Zero, Transaction = ConflictRetryTransaction.PerSave };
}
