using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>A payment whose provider was called, and nobody knows whether the call took effect.</summary>
internal sealed class StuckKey : Incident
{
    private static readonly IdempotencyKey Key = new("shop|7|charge", "key-1");

    /// <summary>Only a person resolves it.</summary>
    public override async Task CheckAsync(bool isActedUpon)
    {
        await using var shop = Open();
        Assert.Single(await shop.Idempotency().ListStuckAsync(TimeSpan.Zero, cancellationToken: Token));
    }

    protected override async Task StageAsync()
    {
        (Names["KEY"], Names["SCOPE"]) = (Key.Key, Key.Scope);
        Signs["idempotency list --stuck"] = Key.Key;
        Signs["idempotency show KEY --scope SCOPE"] = "needs resolution";
        await using var shop = Open();
        await Assert.ThrowsAnyAsync<Exception>(() => shop.ExecuteInPhasesAsync(
            Key,
            "7.00 EUR",
            static (phases, ct) => phases.CallAsync<string>("charge", static (_, _) => throw new IOException("The line broke."), IdempotencyAmbiguity.NeedsResolution, ct),
            cancellationToken: Token));
    }
}
