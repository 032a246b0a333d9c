using EfConcurrency.Resilience;

namespace EfConcurrency.Versioning;

/// <summary>The unit IS committed, but a callback of <c>AfterCommit</c> failed. Don't run the unit again.</summary>
public sealed class AfterCommitException : Exception, IFinalRefusal
{
    /// <summary>Creates the exception.</summary>
    /// <param name="innerException">The failure, or an <see cref="AggregateException"/> of several.</param>
    public AfterCommitException(Exception innerException)
        : base("The work is committed, but what was to follow its commit failed. Repeat only that; running the unit again would do the work twice.", innerException)
    {
    }
}
