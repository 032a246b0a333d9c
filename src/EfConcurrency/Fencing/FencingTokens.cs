using EfConcurrency.Postgres;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Fencing;

/// <summary>
/// Fences a save: writes the token into every fenced row (refused where a newer one stands), and lets the lease in scope be proved current,
/// and held so, before the first row is written.
/// </summary>
internal sealed class FencingTokens(FencingScope scope, FencingRejection rejection, ISqlGenerationHelper sql, IRelationalTypeMappingSource mappings)
    : IEnvelopeContributor
{
    public void Contribute(EnvelopeSave save)
    {
        // Entries grow while owners are found.
        for (var i = 0; i < save.Entries.Count; i++)
        {
            FenceEntry(save, save.Entries[i]);
        }

        if (scope.Grants.Count > 0)
        {
            scope.Check();
            AddGuards(save);
        }
    }

    public ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException exception, bool async, CancellationToken cancellationToken)
        => rejection.ExplainAsync(save, exception, async, cancellationToken);

    private void FenceEntry(EnvelopeSave save, IUpdateEntry entry)
    {
        if (Fence.Find(entry.EntityType) is { } fence)
        {
            var grant = scope.Require(fence.Resource.ResourceOf(entry), entry.EntityType);
            if (fence.Token is { } token)
            {
                entry.SetStoreGeneratedValue(token, grant.Value);
            }
        }
        else if (entry.EntityType.FindOwnership() is { } ownership && save.Adapter.FindPrincipal(entry, ownership) is { } owner)
        {
            FenceOwner(save, owner);
        }
    }

    /// <summary>EF writes an owned entity without its owner, whose row carries the token.</summary>
    private void FenceOwner(EnvelopeSave save, IUpdateEntry owner)
    {
        if (Fence.Find(owner.EntityType) is not { } fence)
        {
            FenceEntry(save, owner);
        }
        else if (owner.EntityState == EntityState.Unchanged)
        {
            if (fence.Token is { } token)
            {
                owner.SetPropertyModified(token);
                save.Include(owner);
            }
            else
            {
                scope.Require(fence.Resource.ResourceOf(owner), owner.EntityType);
            }
        }
    }

    private void AddGuards(EnvelopeSave save)
    {
        var model = FencingModel.Of(save.Context.Model, sql);
        if (model.TokenTable is not { } table)
        {
            return;
        }

        // The function proves leases too, so that one statement does for all.
        if (model.IsStrict || scope.Grants.Any(g => !g.IsLease))
        {
            save.AddGuard(new(FencingSql.Present(model.PresentFunction!), [Parameter(scope.Presented()[0])]));
            return;
        }

        foreach (var grant in scope.Grants.DistinctBy(g => g.Resource).OrderBy(g => g.Resource, StringComparer.Ordinal))
        {
            save.AddGuard(new(
                FencingSql.GuardLease(table),
                [Parameter(grant.Resource), Parameter(grant.Token), Parameter(grant.Holder!.Value)],
                () => new FencingTokenRejectedException(grant.Resource, grant.Token, currentToken: null, currentHolder: null)));
        }
    }

    private SqlParameterValue Parameter(object value) => new(value, mappings.GetMapping(value.GetType()));
}
