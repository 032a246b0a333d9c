using EfConcurrency.Resilience;

namespace EfConcurrency.Versioning;

/// <summary>
/// <c>RetryOnConflictAsync</c> was called, or used inside, in a way in which running the unit again could lose or repeat work.
/// </summary>
public sealed class RetryNotPossibleException : InvalidOperationException, IFinalRefusal
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What stands in the way, and what to do.</param>
    /// <param name="innerException">What the unit failed with, if it failed.</param>
    public RetryNotPossibleException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
