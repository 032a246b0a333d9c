using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>The <c>Idempotency-Key</c> of a request is missing, given twice, or no key. The response is 400.</summary>
public sealed class IdempotencyKeyHeaderException : BadHttpRequestException
{
    internal IdempotencyKeyHeaderException(bool isMissing, string message)
        : base(message, StatusCodes.Status400BadRequest)
        => IsMissing = isMissing;

    /// <summary>Whether the endpoint demands the header and the request has none.</summary>
    public bool IsMissing { get; }
}
