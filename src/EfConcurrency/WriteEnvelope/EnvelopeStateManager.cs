#pragma warning disable EF1001 // Only the state manager knows when changes are accepted or forgotten; what rides in a save follows them.
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// Keeps what contributors add to a save in step with what EF tracks: kept while changes are kept, forgotten when they are. EF does not reach
/// the database when it finds no change; what contributors still have to say is sent here.
/// </summary>
internal sealed class EnvelopeStateManager(StateManagerDependencies dependencies, EnvelopeState state, IEnumerable<IEnvelopeContributor> contributors)
    : StateManager(dependencies)
{
    /// <summary>The service of EF whose place it takes.</summary>
    public static readonly Type Service = typeof(IStateManager);

    private readonly IEnvelopeContributor[] _contributors = [.. contributors];

    private EnvelopeDatabase? Envelope => Dependencies.Database as EnvelopeDatabase;

    private bool HasPendingWork => Array.Exists(_contributors, static c => c.HasPendingWork);

    /// <summary>As EF decides for its own part of a save.</summary>
    private bool IsRepeatable => Context.Database.AutoTransactionBehavior != AutoTransactionBehavior.Never;

    public static void Register(IServiceCollection services) => services.AddScoped<IStateManager, EnvelopeStateManager>();

    public override int SaveChanges(bool acceptAllChangesOnSuccess)
    {
        state.Begin(acceptAllChangesOnSuccess);
        var written = base.SaveChanges(acceptAllChangesOnSuccess);
        if (!HasPendingWork || Envelope is not { } envelope)
        {
            return written;
        }

        return written + (IsRepeatable
            ? Dependencies.ExecutionStrategy.Execute(envelope, static (_, e) => e.SavePendingWork(), verifySucceeded: null)
            : envelope.SavePendingWork());
    }

    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        state.Begin(acceptAllChangesOnSuccess);
        var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken).ConfigureAwait(false);
        if (!HasPendingWork || Envelope is not { } envelope)
        {
            return written;
        }

        return written + (IsRepeatable
            ? await Dependencies.ExecutionStrategy
                .ExecuteAsync(envelope, static (_, e, token) => e.SavePendingWorkAsync(token), verifySucceeded: null, cancellationToken).ConfigureAwait(false)
            : await envelope.SavePendingWorkAsync(cancellationToken).ConfigureAwait(false));
    }

    public override void AcceptAllChanges()
    {
        base.AcceptAllChanges();
        Array.ForEach(_contributors, static c => c.ChangesAccepted());
    }

    /// <summary>Called by <c>ChangeTracker.Clear()</c>, and when a pooled context goes back.</summary>
    public override void Clear(bool resetting)
    {
        base.Clear(resetting);
        Array.ForEach(_contributors, static c => c.ChangesForgotten());
    }
}
