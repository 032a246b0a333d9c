using System.Collections.Frozen;

namespace EfConcurrency.Resilience;

/// <summary>How often, and after which pauses, work that lost against another writer runs again.</summary>
public class ConflictRetryOptions
{
    /// <summary>Attempts in all, the first included.</summary>
    /// <value>5</value>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Upper bound of the pause before the second attempt; it doubles with each further one. The pause itself is random between half of the bound and all of it.</summary>
    /// <value>10 ms</value>
    public TimeSpan BaseDelay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>No pause is longer.</summary>
    /// <value>500 ms</value>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Names of unique constraints whose violation (SQLSTATE 23505) means that another writer came first, so that reading again helps.</summary>
    /// <value>none: a violation is an error</value>
    public IReadOnlyCollection<string> RetriedConstraints { get; init; } = [];

    internal FrozenSet<string> RetriedConstraintSet => field ??= RetriedConstraints.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value makes no sense; the message names it.</exception>
    internal virtual void Validate()
    {
        if (MaxAttempts < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(MaxAttempts), MaxAttempts, "MaxAttempts counts the first attempt too: set it to 1 or more.");
        }

        if (BaseDelay < TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(BaseDelay), BaseDelay, "BaseDelay must not be negative. Zero means no pause.");
        }

        if (MaxDelay < BaseDelay)
        {
            throw new ArgumentOutOfRangeException(nameof(MaxDelay), MaxDelay, $"MaxDelay must not be shorter than BaseDelay ({BaseDelay}).");
        }
    }
}
