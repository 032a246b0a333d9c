namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>Metadata of an endpoint that is left out.</summary>
internal sealed class NotIdempotent
{
    public static readonly NotIdempotent Instance = new();
}
