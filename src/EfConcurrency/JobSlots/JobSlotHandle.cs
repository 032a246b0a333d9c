using EfConcurrency.Postgres;

namespace EfConcurrency.JobSlots;

/// <summary>
/// A claim of a slot. It holds nothing, so it need not be disposed: a slot that is not completed is free again when the claim has expired
/// (<see cref="JobSlotMode.AtLeastOnce"/>), or never (<see cref="JobSlotMode.AtMostOnce"/>). All members may be used by several threads.
/// </summary>
public sealed class JobSlotHandle
{
    /// <summary>Leaves room for 32,767 attempts between two slots that are 1 ms apart; the largest time of .NET still fits.</summary>
    private const int AttemptBits = 15;

    private readonly JobSlot _claim;
    private readonly TimeSpan _leaseTime;
    private readonly JobSlotDatabase? _database;

    /// <param name="claim">The row.</param>
    /// <param name="leaseTime">How long it was claimed for.</param>
    /// <param name="database">Where it is extended and completed; null: its transaction's commit completes it.</param>
    internal JobSlotHandle(JobSlot claim, TimeSpan leaseTime, JobSlotDatabase? database)
    {
        _claim = claim;
        _leaseTime = leaseTime;
        _database = database;
    }

    /// <summary>Name of the job.</summary>
    public string Job => _claim.Job;

    /// <summary>The slot, in UTC.</summary>
    public DateTimeOffset Slot => _claim.SlotAt;

    /// <summary>Number of this runner within the slot, from 0 to <see cref="JobSlotOptions.MaxRunners"/> - 1.</summary>
    public int SlotNo => _claim.SlotNo;

    /// <summary>1, and one more each time that the slot was claimed again. Above 1, an earlier runner may have done a part of the work.</summary>
    public long Attempt => _claim.Attempt;

    /// <summary>Id of the claim.</summary>
    public Guid ClaimId => _claim.ClaimedBy;

    /// <summary>When the slot was claimed, by the database's clock.</summary>
    public DateTimeOffset ClaimedAt => _claim.ClaimedAt;

    /// <summary>Until when the claim holds if it is not extended, by the database's clock.</summary>
    public DateTimeOffset ExpiresAt => _claim.ExpiresAt;

    /// <summary>
    /// Rises with every attempt of a slot, and from slot to slot of a job (slots at least 1 ms apart): who checks that it never falls refuses the
    /// late write of an earlier runner. The slot in milliseconds since 1970, times 32,768, plus <see cref="Attempt"/>. Equal for the runners of one slot.
    /// </summary>
    public long FencingToken => (Slot.ToUnixTimeMilliseconds() << AttemptBits) + Attempt;

    /// <summary>Prolongs the claim: a sign of life while the work goes on, for example every third of the lease time.</summary>
    /// <param name="leaseTime">How long the claim holds from now on, by the database's clock; 1 ms to 365 days. Default: as long as it was claimed for.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>When the claim now expires, by the database's clock.</returns>
    /// <exception cref="JobSlotLostException">The claim had expired and another has the slot, or it is completed, or deleted. Stop working.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="leaseTime"/> is too short or too long.</exception>
    /// <exception cref="InvalidOperationException">The claim was made in a transaction, whose commit completes it.</exception>
    public async Task<DateTimeOffset> ExtendAsync(TimeSpan? leaseTime = null, CancellationToken cancellationToken = default)
    {
        JobSlotOptions.CheckLeaseTime(leaseTime ??= _leaseTime, nameof(leaseTime));
        var database = Database();
        var (changed, current) = await SendAsync(database, JobSlotsSql.Extend(database.Table), database.Table.Microseconds(leaseTime.Value), cancellationToken).ConfigureAwait(false);
        return changed?.ExpiresAt ?? throw Lost(database, current);
    }

    /// <summary>
    /// Reports the work as done: the slot is never given out again. Also accepted after the claim has expired, as long as nobody else has
    /// claimed the slot; and a second time, because the reply to the first may have been lost.
    /// </summary>
    /// <param name="outcome">What there is to say about it, for the history.</param>
    /// <param name="cancellationToken">Cancels the call, which may then have happened.</param>
    /// <returns>A task that ends when the completion is committed.</returns>
    /// <exception cref="JobSlotLostException">The claim had expired and another has the slot, or it was deleted. Nothing was recorded.</exception>
    /// <exception cref="InvalidOperationException">The claim was made in a transaction, whose commit completes it.</exception>
    public async Task CompleteAsync(string? outcome = null, CancellationToken cancellationToken = default)
    {
        var database = Database();
        var value = database.Table.Value(nameof(JobSlot.Outcome), outcome);
        var (changed, current) = await SendAsync(database, JobSlotsSql.Complete(database.Table), value, cancellationToken).ConfigureAwait(false);
        if (changed is null && !(IsMine(current) && current!.CompletedAt is not null))
        {
            JobSlotsMeter.Completion(Job, "lost");
            throw Lost(database, current);
        }

        JobSlotsMeter.Completion(Job, "completed");
    }

    private JobSlotLostException Lost(JobSlotDatabase database, JobSlot? current)
    {
        var exception = new JobSlotLostException(this, current);
        JobSlotsLog.Lost(database.Logger, exception.Message);
        return exception;
    }

    private bool IsMine(JobSlot? current) => current?.ClaimedBy == ClaimId && current.Attempt == Attempt;

    private JobSlotDatabase Database()
        => _database ?? throw new InvalidOperationException(
            $"Slot {Slot:u} of job '{Job}' was claimed in a transaction: it is completed when that commits, and free again when it rolls back. There is nothing to extend or to complete.");

    private Task<(JobSlot? Changed, JobSlot? Current)> SendAsync(JobSlotDatabase database, string sql, SqlParameterValue value, CancellationToken cancellationToken)
    {
        var table = database.Table;
        SqlParameterValue[] parameters =
        [
            table.Value(nameof(JobSlot.Job), Job),
            table.Value(nameof(JobSlot.SlotAt), Slot),
            table.Value(nameof(JobSlot.SlotNo), SlotNo),
            table.Value(nameof(JobSlot.Attempt), Attempt),
            table.Value(nameof(JobSlot.ClaimedBy), ClaimId),
            value,
        ];
        return database.RunAsync(
            sql + ";\n" + JobSlotsSql.State(table, JobSlotsSql.NamedSlot),
            parameters,
            async (reader, token) =>
            {
                var changed = await JobSlotDatabase.ReadRowsAsync(Job, reader, token).ConfigureAwait(false);
                await reader.NextResultAsync(token).ConfigureAwait(false);
                var state = await JobSlotDatabase.ReadRowsAsync(Job, reader, token).ConfigureAwait(false);
                return (changed.Count > 0 ? changed[0] : null, state.FirstOrDefault(s => s.SlotNo == SlotNo));
            },
            cancellationToken);
    }
}
