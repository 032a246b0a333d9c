namespace EfConcurrency.Leases;

/// <summary>A lease did not become free in the time that was given. Not a <see cref="TimeoutException"/>, which EF's retry would repeat.</summary>
public sealed class LeaseNotAcquiredException : Exception
{
    internal LeaseNotAcquiredException(string name, TimeSpan waited, LeaseAcquisition last)
        : base(
            $"Lease '{name}' was not free within {waited.TotalSeconds:0.###} s: "
            + last.Outcome switch
            {
                LeaseOutcome.Held => $"it is held by '{last.HeldBy}', for {last.Remaining.TotalSeconds:0.###} s more unless it is renewed.",
                LeaseOutcome.Contended => "a transaction of its last holder has not ended yet.",
                _ => last.Failure!.Message,
            }
            + " Wait longer, or leave the work to the holder.",
            last.Failure)
    {
        Name = name;
        HeldBy = last.HeldBy;
        Remaining = last.Remaining;
        Outcome = last.Outcome;
    }

    /// <summary>Name of the lease.</summary>
    public string Name { get; }

    /// <summary>How the last attempt ended.</summary>
    public LeaseOutcome Outcome { get; }

    /// <summary>Who holds it; null when that is not known.</summary>
    public string? HeldBy { get; }

    /// <summary>After this long it is free, unless its holder renews it.</summary>
    public TimeSpan Remaining { get; }
}
