using System.Text.Json;

namespace EfConcurrency.Idempotency;

/// <summary>How an operation is made idempotent. All that share a scope use the same settings.</summary>
public sealed record IdempotencyOptions
{
    private static readonly TimeSpan LongestRetention = TimeSpan.FromDays(3650);
    private static readonly TimeSpan LongestLease = TimeSpan.FromDays(1);

    internal static readonly IdempotencyOptions Default = new();

    /// <summary>How key and work are tied together.</summary>
    /// <value><see cref="IdempotencyMode.SameTransaction"/></value>
    public IdempotencyMode Mode { get; init; } = IdempotencyMode.SameTransaction;

    /// <summary>How long a key is remembered, from its first use on, by the database's clock; 1 second to 3650 days. Longer than any repetition can be late.</summary>
    /// <value>24 hours</value>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(24);

    /// <summary>What a request does whose key is still being worked on.</summary>
    /// <value><see cref="IdempotencyInFlight.Reject"/></value>
    public IdempotencyInFlight OnInFlight { get; init; } = IdempotencyInFlight.Reject;

    /// <summary>How long <see cref="IdempotencyInFlight.Reject"/> lets the server wait for another's transaction before it says no; 1 ms to 1 minute.</summary>
    /// <value>50 ms</value>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>What a refused request is told to wait when nothing better is known.</summary>
    /// <value>1 second</value>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// TwoPhase: how long a claim holds without a sign of life, by the database's clock; 100 ms to 1 day. A heartbeat extends it three times in that time,
    /// as long as the process lives. Afterwards another may take over.
    /// </summary>
    /// <value>30 seconds</value>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>TwoPhase: what becomes of a step in the middle of which the process died. A step can say otherwise.</summary>
    /// <value><see cref="IdempotencyAmbiguity.RunAgain"/></value>
    public IdempotencyAmbiguity OnAmbiguous { get; init; } = IdempotencyAmbiguity.RunAgain;

    /// <summary>Larger bodies are not kept; a replay then has status and headers only. 0 to 64 MiB, before encryption.</summary>
    /// <value>262144 (256 KiB)</value>
    public int MaxStoredBytes { get; init; } = 256 * 1024;

    /// <summary>Whether bodies are kept at all. Without, a replay tells that the operation was done, and the caller reads what it led to.</summary>
    /// <value><see langword="true"/></value>
    public bool StoreBody { get; init; } = true;

    /// <summary>Encrypts what is stored.</summary>
    /// <value><see langword="null"/>: stored as it is</value>
    public IIdempotencyProtector? Protector { get; init; }

    /// <summary>How typed requests and results are written as JSON.</summary>
    /// <value><see cref="JsonSerializerOptions.Default"/></value>
    public JsonSerializerOptions Json { get; init; } = JsonSerializerOptions.Default;

    /// <summary>
    /// Time limit for storing the response, which does not end when the caller gives up: what was done must not be forgotten.
    /// 1 second to 10 minutes.
    /// </summary>
    /// <value>30 seconds</value>
    public TimeSpan StoreTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Asks first whether the key was completed before: then a replay is one round trip, and new work one more. For messages that the broker
    /// says it delivers again. Keys that this process has completed or replayed itself are always asked for first.
    /// </summary>
    /// <value><see langword="false"/></value>
    public bool ExpectReplay { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value makes no sense; the message names it.</exception>
    public void Validate()
    {
        if (!Enum.IsDefined(Mode))
        {
            throw new ArgumentOutOfRangeException(nameof(Mode), Mode, "Mode is SameTransaction, InsertLast or TwoPhase.");
        }

        if (!Enum.IsDefined(OnAmbiguous))
        {
            throw new ArgumentOutOfRangeException(nameof(OnAmbiguous), OnAmbiguous, "OnAmbiguous is RunAgain or NeedsResolution.");
        }

        ArgumentNullException.ThrowIfNull(OnInFlight);
        ArgumentNullException.ThrowIfNull(Json);
        InRange(Retention, TimeSpan.FromSeconds(1), LongestRetention, nameof(Retention));
        InRange(LockTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1), nameof(LockTimeout));
        InRange(RetryAfter, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(RetryAfter));
        InRange(Lease, TimeSpan.FromMilliseconds(100), LongestLease, nameof(Lease));
        InRange(StoreTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), nameof(StoreTimeout));
        if (MaxStoredBytes is < 0 or > 64 * 1024 * 1024)
        {
            throw new ArgumentOutOfRangeException(nameof(MaxStoredBytes), MaxStoredBytes, "MaxStoredBytes must be from 0 to 64 MiB. To keep no bodies, set StoreBody to false.");
        }
    }

    private static void InRange(TimeSpan value, TimeSpan least, TimeSpan most, string name)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be from {least} to {most}.");
        }
    }
}
