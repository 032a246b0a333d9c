using System.Globalization;
using EfConcurrency.JobSlots;
using EfConcurrency.Tool.Cli;
using Npgsql;

namespace EfConcurrency.Tool.Run;

/// <summary>A job's slot: success completes it, anything else gives it back to be claimed again.</summary>
internal sealed class SlotClaim : IWorkClaim
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly JobSlotHandle _slot;
    private readonly SlotKeeper _keeper;
    private readonly TimeSpan _patience;
    private bool _isEnded;

    private SlotClaim(JobSlotHandle slot, SlotKeeper keeper, TimeSpan patience)
    {
        _slot = slot;
        _keeper = keeper;
        _patience = patience;
        Environment = new Dictionary<string, string?>
        {
            ["EFC_JOB"] = slot.Job,
            ["EFC_SLOT"] = slot.Slot.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture),
            ["EFC_ATTEMPT"] = slot.Attempt.ToString(CultureInfo.InvariantCulture),
            ["EFC_FENCING_TOKEN"] = slot.FencingToken.ToString(CultureInfo.InvariantCulture),
            ["EFC_LEASE"] = null,
        };
    }

    public IReadOnlyDictionary<string, string?> Environment { get; }

    public CancellationToken Lost => _keeper.Lost;

    public string Loss => _keeper.Loss?.Message ?? $"Slot {Human.Time(_slot.Slot)} of job {_slot.Job} was lost: the database could not be reached in time.";

    /// <summary>Claims a slot, waiting for another's failure if asked to.</summary>
    /// <param name="slots">The database's.</param>
    /// <param name="job">The job.</param>
    /// <param name="slot">The slot.</param>
    /// <param name="options">How it is claimed.</param>
    /// <param name="wait">How long at most.</param>
    /// <param name="conflictExitCode">While another is at it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The claim; null when the slot's work is done.</returns>
    /// <exception cref="EfcException">Another is at it, or the job's name is none.</exception>
    public static async Task<SlotClaim?> TakeAsync(
        JobSlotStore slots, string job, DateTimeOffset slot, JobSlotOptions options, TimeSpan wait, int conflictExitCode, CancellationToken cancellationToken)
    {
        var startedAt = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var sentAt = TimeProvider.System.GetTimestamp();
            switch (await ClaimAsync(slots, job, slot, options, cancellationToken))
            {
                case JobSlotResult.Claimed { Handle: var handle }:
                    return new(handle, new SlotKeeper(handle, options.LeaseTime, sentAt), options.LeaseTime);
                case JobSlotResult.Completed:
                    return null;
                case JobSlotResult.AlreadyClaimed other when TimeProvider.System.GetElapsedTime(startedAt) >= wait:
                    throw new EfcException(conflictExitCode, $"Slot {Human.Time(slot)} of job {job} is being worked on by {other.By}. The command was not run.");
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }

    public async Task<bool> EndAsync(int exitCode)
    {
        _isEnded = true;
        await _keeper.DisposeAsync();
        if (Lost.IsCancellationRequested)
        {
            return false;
        }

        // Not cancelled, but left alone: over a cut connection even a cancellation can hang.
        var startedAt = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                var left = _patience - TimeProvider.System.GetElapsedTime(startedAt);
                var attempt = exitCode == 0 ? _slot.CompleteAsync("exit 0", CancellationToken.None) : _slot.ExtendAsync(AtOnce, CancellationToken.None);
                await attempt.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero);
                return true;
            }
            catch (JobSlotLostException)
            {
                return false;
            }
            catch (NpgsqlException) when (exitCode == 0 && TimeProvider.System.GetElapsedTime(startedAt) < _patience)
            {
                // Work that is done and not recorded as such is done again by the next: worth trying as long as the slot lasts.
                await Task.Delay(Pause);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                return exitCode != 0;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isEnded)
        {
            await EndAsync(exitCode: 1);
        }
    }

    private static async Task<JobSlotResult> ClaimAsync(JobSlotStore slots, string job, DateTimeOffset slot, JobSlotOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await slots.TryClaimAsync(job, slot, options, cancellationToken);
        }
        catch (ArgumentException impossible)
        {
            throw new EfcException(ExitCode.Usage, impossible.Message, impossible);
        }
    }
}
