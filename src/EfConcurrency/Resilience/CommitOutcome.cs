using System.Data.Common;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.Resilience;

/// <summary>Settles a commit whose reply was lost, by asking the server on a new connection.</summary>
internal static class CommitOutcome
{
    /// <summary>How long an answer is waited for: a server that restarts needs seconds, a cut backend milliseconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Asks until the transaction is committed or aborted. "In progress" is no answer: the server may not have noticed yet that its
    /// client is gone, and may still commit. Takes no cancellation token: who asks has already written.
    /// </summary>
    public static async Task<CommitStatus> AskAsync(DbContext context, CommitTicket ticket, TimeProvider time)
    {
        if (ticket == CommitTicket.NothingWritten)
        {
            return CommitStatus.Committed;
        }

        var started = time.GetTimestamp();
        var text = context.GetService<IRelationalTypeMappingSource>().FindMapping(typeof(string))!;
        while (time.GetElapsedTime(started) < Patience)
        {
            try
            {
                var (status, timeline) = await ReadAsync(context, new(ticket.TransactionId, text)).ConfigureAwait(false);
                if (timeline.Length > 0 && timeline != ticket.Timeline)
                {
                    return CommitStatus.Unknown;
                }

                switch (timeline.Length > 0 ? status : "in progress")
                {
                    case "committed":
                        return CommitStatus.Committed;
                    case "aborted":
                        return CommitStatus.Aborted;
                    case null:
                        return CommitStatus.Unknown;
                }
            }
            catch (PostgresException error) when (!error.IsTransient)
            {
                return CommitStatus.Unknown;
            }
            catch (NpgsqlException)
            {
                // The server is not back yet.
            }

            await Task.Delay(Pause, time, CancellationToken.None).ConfigureAwait(false);
        }

        return CommitStatus.Unknown;
    }

    private static async Task<(string? Status, string Timeline)> ReadAsync(DbContext context, SqlParameterValue transactionId)
    {
        var connection = (DbConnection)((ICloneable)context.Database.GetDbConnection()).Clone();
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(CancellationToken.None).ConfigureAwait(false);
            var command = ContextCommand.Create(connection, ResilienceSql.Status, [transactionId]);
            await using (command.ConfigureAwait(false))
            {
                var reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                    return (reader.IsDBNull(0) ? null : reader.GetString(0), reader.GetString(1));
                }
            }
        }
    }
}
