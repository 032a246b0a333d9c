using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Idempotency;

/// <summary>Instruments of the room. Neither scope nor key is a tag.</summary>
internal static class IdempotencyMeter
{
    private static readonly Counter<long> Claims = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.idempotency.claims", "{claim}", "Calls with an idempotency key, by what became of them.");

    private static readonly Counter<long> ExpiredKeys = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.idempotency.expired", "{key}", "Expired idempotency keys that were deleted.");

    private static readonly ConcurrentDictionary<string, long> StuckOf = new(StringComparer.Ordinal);

    public static readonly ObservableGauge<long> Stuck = Telemetry.Meter.CreateObservableGauge(
        "efconcurrency.idempotency.stuck",
        static () => StuckOf.Select(s => new Measurement<long>(s.Value, new KeyValuePair<string, object?>(TagNames.Context, s.Key))),
        "{key}",
        "Operations that will not end by themselves, as the clean-up service last counted them.");

    /// <param name="mode">How key and work are tied together.</param>
    /// <param name="outcome">See <see cref="IdempotencyAttempt.Kind"/>; or <c>reused</c>, <c>needs_resolution</c>, <c>lost</c>, <c>failed</c>.</param>
    public static void Claim(IdempotencyMode mode, string outcome)
        => Claims.Add(1, new(TagNames.IdempotencyMode, Name(mode)), new(TagNames.Outcome, outcome));

    public static void Expired(long keys) => ExpiredKeys.Add(keys);

    public static void SetStuck(string context, long keys) => StuckOf[context] = keys;

    public static string Name(IdempotencyMode mode) => mode switch
    {
        IdempotencyMode.InsertLast => "insert_last",
        IdempotencyMode.TwoPhase => "two_phase",
        _ => "same_transaction",
    };
}
