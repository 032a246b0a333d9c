using EfConcurrency.Resilience;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>Two different names have the same number, so that both would be one lock. Rename one of them, or give it a namespace.</summary>
public sealed class AdvisoryKeyCollisionException : InvalidOperationException, IFinalRefusal
{
    private AdvisoryKeyCollisionException(AdvisoryKey first, AdvisoryKey second)
        : base($"The names '{first.FullName}' and '{second.FullName}' have the same number {first.Digits}, so that both would be one advisory lock. Rename one of them, or give it a namespace: AdvisoryKey.Of(name, namespace).")
    {
        First = first;
        Second = second;
    }

    /// <summary>One of the two.</summary>
    public AdvisoryKey First { get; }

    /// <summary>The other.</summary>
    public AdvisoryKey Second { get; }

    internal static void ThrowIfOtherName(AdvisoryKey first, AdvisoryKey second)
    {
        if (first.Name is not null && second.Name is not null && first.FullName != second.FullName)
        {
            throw new AdvisoryKeyCollisionException(first, second);
        }
    }
}
