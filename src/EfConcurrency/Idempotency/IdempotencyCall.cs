using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.Idempotency;

/// <summary>What one call asks for, checked.</summary>
internal sealed class IdempotencyCall
{
    public IdempotencyCall(
        DbContext context, IdempotencyKey key, IdempotencyFingerprint fingerprint, IdempotencyOptions? options, bool returnsResponse, Func<CancellationToken, Task<IdempotentResponse>> body)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(fingerprint);
        Options = options ?? IdempotencyOptions.Default;
        Options.Validate();
        Context = context;
        Key = key;
        Fingerprint = fingerprint;
        ReturnsResponse = returnsResponse;
        Body = body;
        Table = IdempotencyTable.Of(context);
        State = IdempotencyUnitState.Of(context);
        if (State.IsActive)
        {
            throw new IdempotencyNotPossibleException(
                $"ExecuteIdempotentlyAsync was called for {key} inside the work of another key on the same context. One operation has one key: call the inner work directly, or give it a context of its own.");
        }
    }

    public DbContext Context { get; }

    public IdempotencyKey Key { get; }

    public IdempotencyFingerprint Fingerprint { get; }

    public IdempotencyOptions Options { get; }

    /// <summary>Whether the body decides what becomes of its work, so that there must be a way back to the claim.</summary>
    public bool ReturnsResponse { get; }

    public Func<CancellationToken, Task<IdempotentResponse>> Body { get; }

    public IdempotencyTable Table { get; }

    public IdempotencyUnitState State { get; }

    /// <summary>Tells this call's claim from another's, also when the reply to it was lost.</summary>
    public Guid Owner { get; } = Guid.NewGuid();

    public ILogger Logger => State.Logger;

    public TimeProvider Time => State.Time;

    public NpgsqlConnection Connection
        => Context.Database.GetDbConnection() as NpgsqlConnection
            ?? throw new InvalidOperationException($"'{Context.GetType().Name}' has no connection of Npgsql. Call UseNpgsql(…) on its options.");
}
