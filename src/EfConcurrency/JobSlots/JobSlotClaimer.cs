using System.Data.Common;
using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.JobSlots;

/// <summary>Sends a claim and tells what became of it; the same for claims on connections of their own and in a context's transaction.</summary>
internal sealed class JobSlotClaimer(JobSlotTable table, ILogger logger)
{
    /// <summary>
    /// A claim that got nothing and sees nothing crossed into the next slot between its two statements, or lost against a claim that was
    /// deleted at once. This often in a row it is something else.
    /// </summary>
    private const int MaxTries = 10;

    /// <param name="request">The claim.</param>
    /// <param name="send">Runs the command that it is given the text and the parameters of.</param>
    /// <param name="database">Where the handle completes; null when the transaction does.</param>
    /// <param name="cancellationToken">Cancels the claim, which may then have happened.</param>
    public async Task<JobSlotResult> ClaimAsync(
        JobSlotRequest request, Func<JobSlotRequest, CancellationToken, Task<JobSlotAnswer>> send, JobSlotDatabase? database, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Activities.StartActivity(SpanNames.JobSlotClaim);
        activity?.SetTag(TagNames.Job, request.Job);
        try
        {
            var (result, outcome) = await DecideAsync(request, send, database, cancellationToken).ConfigureAwait(false);
            activity?.SetTag(TagNames.Outcome, outcome);
            JobSlotsMeter.Claim(request.Job, outcome);
            return result;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            activity?.SetTag(TagNames.Outcome, "cancelled");
            JobSlotsMeter.Claim(request.Job, "cancelled");
            throw;
        }
        catch (Exception exception)
        {
            activity?.SetTag(TagNames.Outcome, "failed");
            activity.Fail(exception);
            JobSlotsMeter.Claim(request.Job, "failed", exception);
            throw;
        }
    }

    /// <summary>Reads what a command of a request returns.</summary>
    public static async Task<JobSlotAnswer> ReadAsync(JobSlotRequest request, DbDataReader reader, CancellationToken cancellationToken)
    {
        if (request.IsQueued)
        {
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }

        var claimed = await JobSlotDatabase.ReadRowsAsync(request.Job, reader, cancellationToken).ConfigureAwait(false);
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        return new(claimed, await JobSlotDatabase.ReadRowsAsync(request.Job, reader, cancellationToken).ConfigureAwait(false));
    }

    private async Task<(JobSlotResult Result, string Outcome)> DecideAsync(
        JobSlotRequest request, Func<JobSlotRequest, CancellationToken, Task<JobSlotAnswer>> send, JobSlotDatabase? database, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            JobSlotAnswer answer;
            try
            {
                answer = await send(request, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
            {
                throw JobSlotTableMissingException.NotInDatabase(table.Name, error);
            }

            // A claim that is sent again, because the reply was lost, finds itself among the others.
            var mine = answer.Claimed.Concat(answer.State).FirstOrDefault(s => s.ClaimedBy == request.ClaimId);
            if (mine is not null)
            {
                return (new JobSlotResult.Claimed(new(mine, request.Options.LeaseTime, database)), Log(mine));
            }

            if (request.Judge(answer.State) is { } result)
            {
                return (result, result is JobSlotResult.Completed ? "completed" : "already_claimed");
            }

            if (tries == MaxTries)
            {
                throw new InvalidOperationException(
                    $"A claim of job '{request.Job}' was refused {MaxTries} times, but no claim of another is to be seen in {table.Name}. "
                    + "If the table has row-level security, let this role see all rows.");
            }
        }
    }

    private string Log(JobSlot mine)
    {
        if (mine.Attempt == 1)
        {
            JobSlotsLog.Claimed(logger, mine.Job, mine.SlotAt, mine.SlotNo);
            return "claimed";
        }

        JobSlotsLog.Reclaimed(logger, mine.Job, mine.SlotAt, mine.SlotNo, mine.Attempt);
        return "reclaimed";
    }
}
