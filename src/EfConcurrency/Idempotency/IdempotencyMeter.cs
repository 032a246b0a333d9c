using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Idempotency;

/// <summary>Instruments of the room. Neither scope nor key is a tag.</summary>
internal static class IdempotencyMeter
{
    private static readonly Counter<long> Requests = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.idempotency.requests", "{request}", "Calls with an idempotency key, by what became of them.");

    private static readonly Counter<long> ExpiredKeys = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.idempotency.expired", "{key}", "Expired idempotency keys that were deleted.");

    private static readonly ConcurrentDictionary<string, long> StuckOf = new(StringComparer.Ordinal);

    public static readonly ObservableGauge<long> Stuck = Telemetry.Meter.CreateObservableGauge(
        "efconcurrency.idempotency.stuck",
        static () => StuckOf.Select(s => new Measurement<long>(s.Value, new KeyValuePair<string, object?>(TagNames.Context, s.Key))),
        "{key}",
        "Operations that will not end by themselves, as the clean-up service last counted them.");

    /// <param name="mode">How key and work are tied together.</param>
    /// <param name="outcome">See <see cref="IdempotencyAttempt.Kind"/>; or <c>reused</c>, <c>needs_resolution</c>, <c>lost</c>, <c>cancelled</c>, <c>failed</c>.</param>
    /// <param name="failure">For <c>lost</c> and <c>failed</c>. The others are answers.</param>
    public static void Request(IdempotencyMode mode, string outcome, Exception? failure)
    {
        var tags = new TagList { { TagNames.IdempotencyMode, Name(mode) }, { TagNames.Outcome, outcome } };
        tags.AddFailure(failure);
        Requests.Add(1, tags);
    }

    public static void Expired(long keys) => ExpiredKeys.Add(keys);

    public static void SetStuck(string context, long keys) => StuckOf[context] = keys;

    public static string Name(IdempotencyMode mode) => mode switch
    {
        IdempotencyMode.InsertLast => "insert_last",
        IdempotencyMode.TwoPhase => "two_phase",
        _ => "same_transaction",
    };
}
