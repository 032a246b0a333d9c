using EfConcurrency.WriteEnvelope;

namespace EfConcurrency.Idempotency;

/// <summary>Key and response as a statement of a save.</summary>
internal sealed class CompletedRow(IdempotencyCall call, StoredResponse response)
{
    /// <summary>Number of the claim, once it is written.</summary>
    public long Fence { get; private set; }

    public EnvelopeStatement Statement()
    {
        var table = call.Table;
        return new(
            table.Sql.InsertCompleted,
            [
                table.Value(nameof(IdempotencyRecord.Scope), call.Key.Scope),
                table.Value(nameof(IdempotencyRecord.Key), call.Key.Key),
                table.Value(nameof(IdempotencyRecord.Fingerprint), call.Fingerprint.HashBytes),
                table.Value(nameof(IdempotencyRecord.FingerprintVersion), call.Fingerprint.Version),
                table.Value(nameof(IdempotencyRecord.Owner), call.Owner),
                table.Value(nameof(IdempotencyRecord.ResponseStatus), response.Status),
                table.Value(nameof(IdempotencyRecord.ResponseHeaders), response.Headers),
                table.Value(nameof(IdempotencyRecord.ResponseBody), response.Body),
                table.Value(nameof(IdempotencyRecord.ProtectionKeyId), response.ProtectionKeyId),
                table.Microseconds(call.Options.Retention),
            ],
            onRow: row => Fence = row.GetInt64(0));
    }
}
