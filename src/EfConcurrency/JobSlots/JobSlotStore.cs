using EfConcurrency.Postgres;

namespace EfConcurrency.JobSlots;

/// <summary>
/// Claims slots of scheduled jobs, each in one round trip on a connection of its own, and keeps their history. It does not need the
/// context that it came from any more; keep one for the life of the program. All members may be used by several threads.
/// </summary>
public sealed class JobSlotStore
{
    private const int DeletedAtATime = 1000;

    private readonly JobSlotDatabase _database;
    private readonly JobSlotClaimer _claimer;

    internal JobSlotStore(JobSlotDatabase database)
    {
        _database = database;
        _claimer = new(database.Table, database.Logger);
    }

    /// <summary>Claims a slot that the caller names, for example one that a cron library computed.</summary>
    /// <param name="job">Name of the job, at most 200 characters.</param>
    /// <param name="slot">The moment that all runners compute alike: when the job is due, not the current time. 1970 or later, in whole microseconds.</param>
    /// <param name="options">Mode, lease time, number of runners.</param>
    /// <param name="cancellationToken">Cancels the claim, which may then have happened.</param>
    /// <returns>Whose the slot is now.</returns>
    /// <exception cref="ArgumentException">The job has no name or a name that can't be stored, or an option makes no sense.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The slot or an option is out of its range.</exception>
    /// <exception cref="JobSlotTableMissingException">The database has not the table of the model.</exception>
    /// <exception cref="InvalidOperationException">The server is read-only.</exception>
    public Task<JobSlotResult> TryClaimAsync(string job, DateTimeOffset slot, JobSlotOptions? options = null, CancellationToken cancellationToken = default)
        => ClaimAsync(JobSlotRequest.Separate(job, JobSlotTime.At(slot), options), cancellationToken);

    /// <summary>Claims the slot of a schedule that is current by the database's clock.</summary>
    /// <param name="job">Name of the job, at most 200 characters.</param>
    /// <param name="schedule">The schedule; see <see cref="JobSchedule.Every"/>.</param>
    /// <param name="options">Mode, lease time, number of runners.</param>
    /// <param name="cancellationToken">Cancels the claim, which may then have happened.</param>
    /// <returns>Whose the slot is now.</returns>
    /// <exception cref="ArgumentException">The job has no name or a name that can't be stored, or an option makes no sense.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="JobSlotTableMissingException">The database has not the table of the model.</exception>
    /// <exception cref="InvalidOperationException">The server is read-only.</exception>
    public Task<JobSlotResult> TryClaimAsync(string job, JobSchedule schedule, JobSlotOptions? options = null, CancellationToken cancellationToken = default)
        => ClaimAsync(JobSlotRequest.Separate(job, JobSlotTime.Current(schedule), options), cancellationToken);

    /// <summary>The latest claims of a job, the newest slot first.</summary>
    /// <param name="job">Name of the job.</param>
    /// <param name="take">At most how many; above 0.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The claims.</returns>
    /// <exception cref="ArgumentException">The job has no name or a name that can't be stored.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="take"/> is not positive.</exception>
    /// <exception cref="JobSlotTableMissingException">The database has not the table of the model.</exception>
    public async Task<IReadOnlyList<JobSlot>> HistoryAsync(string job, int take = 100, CancellationToken cancellationToken = default)
    {
        JobSlotTime.CheckJob(job);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(take);
        return await _database.RunAsync(
            JobSlotsSql.History(Table),
            [JobName(job), Table.Value(nameof(JobSlot.SlotNo), take)],
            (reader, token) => JobSlotDatabase.ReadRowsAsync(job, reader, token),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes claims whose slot lies longer than <paramref name="olderThan"/> in the past and that were completed, or expired, longer ago than that;
    /// by the database's clock, in batches that commit by themselves. What still runs stays, and so does the newest slot of each job. A deleted
    /// slot could be claimed again by who names it: keep more than any runner may be behind.
    /// </summary>
    /// <param name="job">Name of the job; null: all jobs.</param>
    /// <param name="olderThan">The age; not negative.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <returns>How many claims were deleted.</returns>
    /// <exception cref="ArgumentException">The job has no name or a name that can't be stored.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="olderThan"/> is negative.</exception>
    /// <exception cref="JobSlotTableMissingException">The database has not the table of the model.</exception>
    /// <exception cref="InvalidOperationException">The server is read-only.</exception>
    public async Task<long> DeleteHistoryAsync(string? job, TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        if (job is not null)
        {
            JobSlotTime.CheckJob(job);
        }

        var total = 0L;
        foreach (var name in job is null ? await JobsAsync(cancellationToken).ConfigureAwait(false) : [job])
        {
            total += await DeleteAsync(name, olderThan, cancellationToken).ConfigureAwait(false);
        }

        return total;
    }

    private JobSlotTable Table => _database.Table;

    private Task<JobSlotResult> ClaimAsync(JobSlotRequest request, CancellationToken cancellationToken)
        => _claimer.ClaimAsync(request, SendAsync, _database, cancellationToken);

    private Task<JobSlotAnswer> SendAsync(JobSlotRequest request, CancellationToken cancellationToken)
        => _database.RunAsync(
            request.Sql(Table), request.Parameters(Table), (reader, token) => JobSlotClaimer.ReadAsync(request, reader, token), cancellationToken);

    private async Task<long> DeleteAsync(string job, TimeSpan olderThan, CancellationToken cancellationToken)
    {
        var total = 0L;
        long deleted;
        do
        {
            deleted = await _database.RunAsync(
                JobSlotsSql.DeleteHistory(Table),
                [JobName(job), Table.Microseconds(olderThan), Table.Value(nameof(JobSlot.SlotNo), DeletedAtATime)],
                static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) ? reader.GetInt64(0) : 0,
                cancellationToken).ConfigureAwait(false);
            total += deleted;
        }
        while (deleted > 0);

        JobSlotsLog.HistoryDeleted(_database.Logger, total, job, olderThan);
        return total;
    }

    private Task<List<string>> JobsAsync(CancellationToken cancellationToken)
        => _database.RunAsync(
            JobSlotsSql.Jobs(Table),
            [],
            static async (reader, token) =>
            {
                var jobs = new List<string>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    jobs.Add(reader.GetString(0));
                }

                return jobs;
            },
            cancellationToken);

    private SqlParameterValue JobName(string job) => Table.Value(nameof(JobSlot.Job), job);
}
