using System.Text.Json;

namespace EfConcurrency.Idempotency;

/// <summary>A response as it stands in the table.</summary>
internal sealed record StoredResponse(short? Status, string? Headers, byte[]? Body, string? ProtectionKeyId)
{
    public static StoredResponse Of(IdempotentResponse response, IdempotencyKey key, IdempotencyOptions options)
    {
        var isKept = options.StoreBody && response.Body.Length <= options.MaxStoredBytes && !response.IsBodyOmitted;
        var body = !isKept ? null
            : options.Protector is { } protector ? protector.Protect(response.Body.Span, key.AssociatedData())
            : response.Body.ToArray();
        return new(
            response.Status == 0 ? null : (short)response.Status,
            response.Headers.Count == 0 ? null : JsonSerializer.Serialize(response.Headers.Select(h => new[] { h.Key, h.Value })),
            body,
            body is null ? null : options.Protector?.ProtectionKeyId);
    }

    /// <exception cref="IdempotencyNotPossibleException">The body is protected, and there is no protector.</exception>
    public static IdempotentResponse Read(IdempotencyRow row, IdempotencyKey key, IdempotencyOptions options)
    {
        var body = row switch
        {
            { Body: null } => [],
            { ProtectionKeyId: null } => row.Body,
            _ => (options.Protector ?? throw new IdempotencyNotPossibleException(
                    $"The stored response of idempotency key {key} is protected ('{row.ProtectionKeyId}'). Set IdempotencyOptions.Protector to what protected it."))
                .Unprotect(row.Body, key.AssociatedData(), row.ProtectionKeyId),
        };
        var headers = row.Headers is null ? [] : JsonSerializer.Deserialize<string[][]>(row.Headers)!.Select(h => KeyValuePair.Create(h[0], h[1])).ToList();
        return new(row.Status ?? 0, body, headers) { IsBodyOmitted = row.Body is null, Decision = IdempotentDecision.Store };
    }
}
