using Microsoft.Net.Http.Headers;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>
/// A client's precondition (<c>If-Match</c>, <c>If-None-Match: *</c>) does not hold. The response is 412. No retry follows: the client must
/// read again and decide.
/// </summary>
public sealed class PreconditionFailedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="current">The tag that the resource has now, if it is known.</param>
    /// <param name="innerException">What the database said, if it was asked.</param>
    public PreconditionFailedException(EntityTagHeaderValue? current = null, Exception? innerException = null)
        : base(
            current is null
                ? "The precondition of the request does not hold: the resource was changed, deleted, or made, since the client read it. Read it again and decide anew."
                : $"The precondition of the request does not hold: the resource now is {current}. Read it again and decide anew.",
            innerException)
        => Current = current;

    /// <summary>The tag that the resource has now; null when there is no such resource, or its tag is not known.</summary>
    public EntityTagHeaderValue? Current { get; }
}
