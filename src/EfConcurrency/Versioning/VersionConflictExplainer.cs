using EfConcurrency.Postgres;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.Versioning;

/// <summary>
/// Replaces EF's exception by the full report. A unique or foreign-key violation may be the mask of a stale parent, because EF
/// inserts the child before the parent's version is checked (dotnet/efcore#35043): then it is reported as the conflict it is.
/// </summary>
internal sealed class VersionConflictExplainer(VersionVerifications verifications) : IEnvelopeContributor
{
    /// <summary>Transaction in which this context has already saved something; outside of it the old versions are seen.</summary>
    private Guid? _savedIn;

    private DbContext? _context;

    public void Contribute(EnvelopeSave save) => _context = save.Context;

    public void Saved() => _savedIn = _context?.Database.CurrentTransaction?.TransactionId;

    public async ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException exception, bool async, CancellationToken cancellationToken)
    {
        var error = SqlStates.FindPostgresException(exception);
        if (exception is not DbUpdateConcurrencyException && error?.SqlState is not (PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ForeignKeyViolation))
        {
            return null;
        }

        var candidates = Candidates(save).ToList();
        var seesOwnWrites = error is null && HasNoSavepoint(save.Context);
        var report = new VersionConflictReport(save.Context, seesOwnWrites ? exception.Entries.Select(e => e.Entity).ToHashSet(ReferenceEqualityComparer.Instance) : null);
        try
        {
            if (error is null || !HasNoSavepoint(save.Context))
            {
                await report.ReadAsync(candidates, async, cancellationToken).ConfigureAwait(false);
            }
            else if (save.Context.Database.CurrentTransaction!.TransactionId != _savedIn)
            {
                await report.ReadOutsideTransactionAsync(candidates, async, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            // The report is a courtesy. If it can't be read, the refusal stands as EF told it.
            return null;
        }

        VersionConflict[] conflicts = [.. (exception as VersionConflictException)?.Conflicts ?? [], .. report.Conflicts];
        if (conflicts.Length == 0)
        {
            return null;
        }

        foreach (var conflict in conflicts)
        {
            VersioningMeter.Conflict(conflict);
        }

        VersioningLog.VersionConflict(save.Context.GetService<ILoggerFactory>().CreateLogger(VersioningLog.Category), save.Context.GetType().Name, conflicts.Length);
        return new VersionConflictException(conflicts, report.Entries, exception);
    }

    /// <summary>
    /// Without EF's savepoint, an error of the server leaves the transaction in which it happened unusable (25P02), and what the save wrote before EF
    /// found a conflict stays visible in it.
    /// </summary>
    private static bool HasNoSavepoint(DbContext context)
        => context.Database is { CurrentTransaction: not null, AutoSavepointsEnabled: false };

    private IEnumerable<IUpdateEntry> Candidates(EnvelopeSave save)
        => save.Entries
            .Where(e => e.EntityState is EntityState.Modified or EntityState.Deleted)
            .Concat(verifications.Verified)
            .Where(e => VersionColumn.Find(e.EntityType) is not null)
            .Distinct();
}
