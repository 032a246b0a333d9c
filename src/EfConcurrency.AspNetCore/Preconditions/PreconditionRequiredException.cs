namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>The request lacks the precondition that its endpoint demands. The response is 428 (RFC 6585, section 3).</summary>
public sealed class PreconditionRequiredException : Exception
{
    internal PreconditionRequiredException(bool allowCreate)
        : base(allowCreate
            ? "This request must carry If-Match with the tag of the version that was read, or If-None-Match: * to create."
            : "This request must carry If-Match with the tag of the version that was read.")
    {
    }
}
