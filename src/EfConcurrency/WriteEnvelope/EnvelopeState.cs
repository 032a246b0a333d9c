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

    public void ResetState() => Current = null;

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }
}
