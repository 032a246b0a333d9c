using System.Diagnostics.CodeAnalysis;

namespace EfConcurrency.Leases;

/// <summary>What came of an attempt to acquire a lease.</summary>
public sealed class LeaseAcquisition
{
    private LeaseAcquisition(LeaseOutcome outcome) => Outcome = outcome;

    /// <summary>How it ended.</summary>
    public LeaseOutcome Outcome { get; }

    /// <summary>Whether the lease is ours.</summary>
    [MemberNotNullWhen(true, nameof(Lease))]
    public bool IsAcquired => Lease is not null;

    /// <summary>The lease, when it was acquired. Dispose it to release it.</summary>
    public Lease? Lease { get; private init; }

    /// <summary>Who holds it, for <see cref="LeaseOutcome.Held"/>.</summary>
    public string? HeldBy { get; private init; }

    /// <summary>The holder's token, for <see cref="LeaseOutcome.Held"/>; rises with every new holder.</summary>
    public long HeldUnder { get; private init; }

    /// <summary>For <see cref="LeaseOutcome.Held"/>: after this long it is free, unless its holder renews or releases it.</summary>
    public TimeSpan Remaining { get; private init; }

    /// <summary>Why the database could not be asked, for <see cref="LeaseOutcome.Unavailable"/>.</summary>
    public LeaseUnavailableException? Failure { get; private init; }

    internal static LeaseAcquisition Contended { get; } = new(LeaseOutcome.Contended);

    internal static LeaseAcquisition Acquired(Lease lease) => new(LeaseOutcome.Acquired) { Lease = lease };

    internal static LeaseAcquisition Held(LeaseAnswer answer)
        => new(LeaseOutcome.Held) { HeldBy = answer.HolderInfo, HeldUnder = answer.FencingToken, Remaining = answer.Remaining };

    internal static LeaseAcquisition Unavailable(LeaseUnavailableException failure) => new(LeaseOutcome.Unavailable) { Failure = failure };
}
