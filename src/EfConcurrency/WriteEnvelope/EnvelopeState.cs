using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// The save that is under way on a context. Scoped in EF's internal provider: it lives as long as the context instance
/// and is reset when a pooled context goes back.
/// </summary>
internal sealed class EnvelopeState : IResettableService
{
    /// <summary>The attempt under way, or null outside of a save.</summary>
    public EnvelopeSave? Current { get; set; }

    /// <summary>Number of the call of <c>SaveChanges</c>; all its attempts have the same.</summary>
    public long Call { get; private set; }

    /// <summary>
    /// Whether EF counts changes as done when they are saved. With <c>SaveChanges(acceptAllChangesOnSuccess: false)</c> the next save sends them again,
    /// until <c>AcceptAllChanges()</c>.
    /// </summary>
    public bool AcceptsChanges { get; private set; } = true;

    /// <summary><c>SaveChanges</c> was called.</summary>
    public void Begin(bool acceptsChanges)
    {
        Call++;
        AcceptsChanges = acceptsChanges;
    }

    public void ResetState() => Current = null;

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }
}
