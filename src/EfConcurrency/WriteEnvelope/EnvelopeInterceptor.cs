using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// EF does not reach the database when it finds no change. What contributors still have to say is sent here.
/// Also notices when something else took the envelope's place.
/// </summary>
internal sealed class EnvelopeInterceptor : SaveChangesInterceptor
{
    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Envelope(eventData.Context!);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(SavingChanges(eventData, result));

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
        => result + Envelope(eventData.Context!).SavePendingWorkAsync(async: false, CancellationToken.None).GetAwaiter().GetResult();

    public override async ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
        => result + await Envelope(eventData.Context!).SavePendingWorkAsync(async: true, cancellationToken).ConfigureAwait(false);

    private static EnvelopeDatabase Envelope(DbContext context)
        => context.GetService<IDatabase>() as EnvelopeDatabase
            ?? throw new InvalidOperationException(
                $"'{context.GetType().Name}' uses UseEfConcurrency(), but its service IDatabase is '{context.GetService<IDatabase>().GetType()}', "
                + "so that versions would neither be checked nor raised. Remove the other replacement of IDatabase.");
}
