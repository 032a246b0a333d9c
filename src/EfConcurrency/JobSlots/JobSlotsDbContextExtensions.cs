using EfConcurrency.JobSlots;
using EfConcurrency.Postgres;
using EfConcurrency.Versioning;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Scheduled jobs that run once a slot.</summary>
public static class JobSlotsDbContextExtensions
{
    /// <summary>The job slots of the context's database. The result does not need the context any more: take it once, and keep it.</summary>
    /// <param name="context">A context with <c>UseEfConcurrency()</c>, whose model has <c>HasJobSlots()</c>.</param>
    /// <returns>What claims slots and keeps their history.</returns>
    /// <exception cref="JobSlotTableMissingException">The model has no job slots.</exception>
    /// <exception cref="InvalidOperationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static JobSlotStore JobSlots(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(JobSlotDatabase.Of(context));
    }

    /// <summary>
    /// Claims a slot in the context's own transaction: what the transaction writes happens once for the slot. Its commit completes the slot,
    /// its rollback leaves it free. While another runner's transaction with the same slot is under way, this waits for its end.
    /// </summary>
    /// <param name="context">A context in a transaction: <c>BeginTransactionAsync</c>, or a unit of <c>RetryOnConflictAsync</c>.</param>
    /// <param name="job">Name of the job, at most 200 characters.</param>
    /// <param name="slot">The moment that all runners compute alike: when the job is due, not the current time. 1970 or later, in whole microseconds.</param>
    /// <param name="info">Who claims, for people; default: name of the machine and id of the process.</param>
    /// <param name="cancellationToken">Cancels the claim.</param>
    /// <returns>Whose the slot is now; claimed only if the transaction is committed.</returns>
    /// <exception cref="ArgumentException">The job has no name or a name that can't be stored, or <paramref name="info"/> is too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The slot is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The context is in no transaction.</exception>
    /// <exception cref="JobSlotTableMissingException">The model has no job slots, or the database has not their table.</exception>
    public static Task<JobSlotResult> TryClaimJobSlotInTransactionAsync(
        this DbContext context, string job, DateTimeOffset slot, string? info = null, CancellationToken cancellationToken = default)
        => ClaimAsync(context, job, JobSlotTime.At(slot), info, cancellationToken);

    /// <inheritdoc cref="TryClaimJobSlotInTransactionAsync(DbContext, string, DateTimeOffset, string?, CancellationToken)"/>
    /// <param name="context">A context in a transaction: <c>BeginTransactionAsync</c>, or a unit of <c>RetryOnConflictAsync</c>.</param>
    /// <param name="job">Name of the job, at most 200 characters.</param>
    /// <param name="schedule">The slot is the one that is current by the database's clock when the claim is made.</param>
    /// <param name="info">Who claims, for people; default: name of the machine and id of the process.</param>
    /// <param name="cancellationToken">Cancels the claim.</param>
    public static Task<JobSlotResult> TryClaimJobSlotInTransactionAsync(
        this DbContext context, string job, JobSchedule schedule, string? info = null, CancellationToken cancellationToken = default)
        => ClaimAsync(context, job, JobSlotTime.Current(schedule), info, cancellationToken);

    /// <summary>
    /// Runs <paramref name="work"/> once for a slot: claim and effects are one transaction. Joins the transaction that the context is in, whose
    /// commit is then the caller's; or else opens one and commits it, and runs the work again when it lost against another writer, as
    /// <c>RetryOnConflictAsync</c> does. Who is second waits, and gets <see cref="JobSlotResult.Completed"/>, or the slot when the first failed.
    /// </summary>
    /// <typeparam name="TContext">The context.</typeparam>
    /// <param name="context">A context; where it is in no transaction, without unsaved changes, and its change tracker is emptied.</param>
    /// <param name="job">Name of the job, at most 200 characters.</param>
    /// <param name="slot">The moment that all runners compute alike: when the job is due, not the current time. 1970 or later, in whole microseconds.</param>
    /// <param name="work">The work, in the database alone; it may run several times, of which one is committed.</param>
    /// <param name="info">Who claims, for people; default: name of the machine and id of the process.</param>
    /// <param name="cancellationToken">Cancels the work; a commit that was begun is finished.</param>
    /// <returns>Whether the work was done here, or who did it.</returns>
    /// <exception cref="ArgumentException">The job has no name or a name that can't be stored, or <paramref name="info"/> is too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The slot is out of its range.</exception>
    /// <exception cref="RetryNotPossibleException">The context has unsaved changes, or is in a unit without a transaction.</exception>
    /// <exception cref="EfConcurrency.Resilience.CommitOutcomeUnknownException">Whether the work was committed could not be found out. Calling again is safe.</exception>
    /// <exception cref="JobSlotTableMissingException">The model has no job slots, or the database has not their table.</exception>
    public static Task<JobSlotResult> RunJobSlotOnceAsync<TContext>(
        this TContext context,
        string job,
        DateTimeOffset slot,
        Func<TContext, JobSlotHandle, CancellationToken, Task> work,
        string? info = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
        => RunAsync(context, job, JobSlotTime.At(slot), work, info, cancellationToken);

    /// <inheritdoc cref="RunJobSlotOnceAsync{TContext}(TContext, string, DateTimeOffset, Func{TContext, JobSlotHandle, CancellationToken, Task}, string?, CancellationToken)"/>
    /// <param name="context">A context; where it is in no transaction, without unsaved changes, and its change tracker is emptied.</param>
    /// <param name="job">Name of the job, at most 200 characters.</param>
    /// <param name="schedule">The slot is the one that is current by the database's clock when the claim is made.</param>
    /// <param name="work">The work, in the database alone; it may run several times, of which one is committed.</param>
    /// <param name="info">Who claims, for people; default: name of the machine and id of the process.</param>
    /// <param name="cancellationToken">Cancels the work; a commit that was begun is finished.</param>
    public static Task<JobSlotResult> RunJobSlotOnceAsync<TContext>(
        this TContext context,
        string job,
        JobSchedule schedule,
        Func<TContext, JobSlotHandle, CancellationToken, Task> work,
        string? info = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
        => RunAsync(context, job, JobSlotTime.Current(schedule), work, info, cancellationToken);

    private static async Task<JobSlotResult> RunAsync<TContext>(
        TContext context, string job, JobSlotTime time, Func<TContext, JobSlotHandle, CancellationToken, Task> work, string? info, CancellationToken cancellationToken)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(work);

        Func<TContext, CancellationToken, Task<JobSlotResult>> unit = async (db, token) =>
        {
            var result = await ClaimAsync(db, job, time, info, token).ConfigureAwait(false);
            if (result is JobSlotResult.Claimed claimed)
            {
                await work(db, claimed.Handle, token).ConfigureAwait(false);
            }

            return result;
        };
        return context.Database.CurrentTransaction is not null
            ? await unit(context, cancellationToken).ConfigureAwait(false)
            : await new RetryUnit<TContext, JobSlotResult>(new ClearedContextSource<TContext>(context), unit, work.Method, RetryOnConflictOptions.Default)
                .RunAsync(cancellationToken).ConfigureAwait(false);
    }

    private static Task<JobSlotResult> ClaimAsync(DbContext context, string job, JobSlotTime time, string? info, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);

        var request = JobSlotRequest.InTransaction(job, time, info);
        var table = JobSlotTable.Of(context);
        if (context.Database.CurrentTransaction is null)
        {
            throw new InvalidOperationException(
                $"Slot of job '{job}': the context is in no transaction that the claim could be a part of. "
                + "Use RunJobSlotOnceAsync, a unit of RetryOnConflictAsync, or BeginTransactionAsync; or db.JobSlots() for a claim by itself.");
        }

        return new JobSlotClaimer(table, JobSlotDatabase.LoggerOf(context)).ClaimAsync(request, SendAsync, database: null, cancellationToken);

        async Task<JobSlotAnswer> SendAsync(JobSlotRequest sent, CancellationToken token)
        {
            var command = ContextCommand.Create(context, sent.Sql(table), sent.Parameters(table));
            await using (command.ConfigureAwait(false))
            {
                var reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    return await JobSlotClaimer.ReadAsync(sent, reader, token).ConfigureAwait(false);
                }
            }
        }
    }
}
