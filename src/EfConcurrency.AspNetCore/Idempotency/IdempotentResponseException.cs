namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// The endpoint sends what can't be kept and replayed: a stream without end (server-sent events), trailers, an upgraded connection. Nothing was
/// committed. Take <c>WithIdempotency()</c> off the endpoint, or answer with a document.
/// </summary>
public sealed class IdempotentResponseException : InvalidOperationException
{
    internal IdempotentResponseException(string what)
        : base($"The endpoint is idempotent, and {what}: such a response can't be kept and replayed. Nothing was committed. Answer with a document, or take WithIdempotency() off the endpoint.")
    {
    }
}
