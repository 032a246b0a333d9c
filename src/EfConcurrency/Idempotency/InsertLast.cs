using EfConcurrency.Postgres;
using EfConcurrency.Resilience;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Idempotency;

/// <summary>InsertLast: the body works in the change tracker; one save then writes its changes, the key and the response.</summary>
internal sealed class InsertLast(IdempotencyCall call) : IIdempotencyWay
{
    private DbContext Context => call.Context;

    public async Task<IdempotencyAttempt> AttemptAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        Check();
        using var unit = call.State.BeginInsertLast();
        try
        {
            var response = await call.Body(cancellationToken).ConfigureAwait(false);
            if (response.Decision != IdempotentDecision.Store)
            {
                Context.ChangeTracker.Clear();
            }

            if (response.Decision == IdempotentDecision.Discard)
            {
                return IdempotencyAttempt.Executed(response, new(Fence: 0, Ticket: null));
            }

            cancellationToken.ThrowIfCancellationRequested();
            return await SaveAsync(response).ConfigureAwait(false);
        }
        catch
        {
            Context.ChangeTracker.Clear();
            throw;
        }
    }

    private void Check()
    {
        if (Context.ChangeTracker.HasChanges())
        {
            throw new IdempotencyNotPossibleException(
                "The context has unsaved changes, which would become part of the operation, or be lost when it is a replay. Save them first, or make the changes inside the work.");
        }

        if (Context.Database.CurrentTransaction is not null && !Context.Database.AutoSavepointsEnabled)
        {
            throw new IdempotencyNotPossibleException(
                "InsertLast can't run in a transaction without savepoints (AutoSavepointsEnabled is off, or a unit of RetryOnConflictAsync runs): when another was first, the failed save would abort it. "
                + "Use IdempotencyMode.SameTransaction.");
        }
    }

    /// <summary>Takes no cancellation token: work and key are one statement list, and only the end of it tells what became of them.</summary>
    private async Task<IdempotencyAttempt> SaveAsync(IdempotentResponse response)
    {
        var row = new CompletedRow(call, StoredResponse.Of(response, call.Key, call.Options));
        call.State.Save(row);
        try
        {
            await Context.SaveChangesAsync(CancellationToken.None).ConfigureAwait(false);
            return IdempotencyAttempt.Executed(response, new(row.Fence, Ticket: null));
        }
        catch (DbUpdateException exception) when (IsKnown(exception))
        {
            Context.ChangeTracker.Clear();
            return await SettleAsync(response).ConfigureAwait(false);
        }
        catch (DbUpdateException exception) when (SqlStates.FindPostgresException(exception) is { SqlState: PostgresErrorCodes.UndefinedTable } error && error.MessageText.Contains(call.Table.BareName, StringComparison.Ordinal))
        {
            throw IdempotencyTableMissingException.NotInDatabase(call.Table.Name, error);
        }
        catch (Exception exception) when (Context.Database.CurrentTransaction is null && RetryCommit.SaysNothingAboutWrites(exception))
        {
            return await IdempotencyCommit.AskRowAsync(call).ConfigureAwait(false) == CommitStatus.Committed
                ? IdempotencyAttempt.Executed(response, new(row.Fence, Ticket: null))
                : throw IdempotencyCommit.Unknown(call, transactionId: null, exception);
        }
    }

    /// <summary>The key is in the table: another was first, or this very save was, and EF's strategy has sent it again after a lost reply.</summary>
    private async Task<IdempotencyAttempt> SettleAsync(IdempotentResponse response)
    {
        await Context.Database.OpenConnectionAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            var batch = new IdempotencyBatch(call, call.Connection);
            await using (batch.ConfigureAwait(false))
            {
                batch.AddDeleteIfExpired();
                batch.AddLook();
                if (await batch.SendLookAsync(CancellationToken.None).ConfigureAwait(false) is not { } row)
                {
                    return IdempotencyAttempt.Again;
                }

                return row.Owner == call.Owner
                    ? IdempotencyAttempt.Executed(response, new(row.Fence, Ticket: null))
                    : IdempotencyVerdicts.Settle(row, call) ?? IdempotencyAttempt.InProgress(call, row.LeaseLeft);
            }
        }
        finally
        {
            await Context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }

    private bool IsKnown(DbUpdateException exception)
        => SqlStates.FindPostgresException(exception) is { SqlState: PostgresErrorCodes.UniqueViolation } error
            && error.ConstraintName == call.Table.PrimaryKey
            && error.TableName == call.Table.BareName;
}
