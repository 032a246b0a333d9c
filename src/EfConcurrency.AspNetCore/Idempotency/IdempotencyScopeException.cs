namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// Whose idempotency key it is can't be said: the scope is not configured, or the caller of this request has no identity. Fails closed, because
/// otherwise one caller could be given another's response.
/// </summary>
public sealed class IdempotencyScopeException : InvalidOperationException
{
    internal IdempotencyScopeException(string message)
        : base(message)
    {
    }
}
