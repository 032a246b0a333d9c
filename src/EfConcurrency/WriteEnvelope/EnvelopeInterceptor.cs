using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.WriteEnvelope;

/// <summary>Notices when something else took the envelope's place.</summary>
internal sealed class EnvelopeInterceptor : SaveChangesInterceptor
{
    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Check(eventData.Context!);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(SavingChanges(eventData, result));

    private static void Check(DbContext context)
    {
        if (context.GetService<IDatabase>() is not EnvelopeDatabase)
        {
            throw new InvalidOperationException(
                $"'{context.GetType().Name}' uses UseEfConcurrency(), but its service IDatabase is '{context.GetService<IDatabase>().GetType()}', "
                + "so that versions would neither be checked nor raised. Remove the other replacement of IDatabase.");
        }
    }
}
