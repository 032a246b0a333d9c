using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>The body of a request is larger than <see cref="IdempotentHttpOptions.MaxRequestBytes"/>. The response is 413.</summary>
internal sealed class RequestTooLargeException(long limit)
    : BadHttpRequestException($"The body of an idempotent request may have {limit} octets, because it is read in full to be compared.", StatusCodes.Status413PayloadTooLarge);
