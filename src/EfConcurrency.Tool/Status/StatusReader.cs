using EfConcurrency.Tool.Database;
using Npgsql;

namespace EfConcurrency.Tool.Status;

/// <summary>Asks all rooms, in one round trip.</summary>
internal static class StatusReader
{
    private static readonly IRoomProbe[] Probes = [new LocksProbe(), new LeasesProbe(), new OutboxProbe(), new InboxProbe(), new IdempotencyProbe(), new SlotsProbe()];

    /// <exception cref="Cli.EfcException">The schema has no table of the library, or the role may not read one.</exception>
    public static async Task<StatusReport> ReadAsync(OperatorDatabase database, StatusThresholds thresholds, CancellationToken cancellationToken)
    {
        database.Tables.RequireAny();
        database.Tables.RequireReadable();
        await using var batch = database.Source.CreateBatch();
        batch.BatchCommands.Add(new(StatusSql.Begin));
        foreach (var probe in Probes.Where(p => p.AppliesTo(database.Tables)))
        {
            var (sql, parameters) = probe.Question(database.Schema, thresholds);
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in parameters)
            {
                command.Parameters.Add(new() { Value = value });
            }

            batch.BatchCommands.Add(command);
        }

        await using var answer = await batch.ExecuteReaderAsync(cancellationToken);
        await answer.ReadAsync(cancellationToken);
        var at = await answer.GetFieldValueAsync<DateTimeOffset>(0, cancellationToken);
        var rooms = new List<RoomStatus>();
        foreach (var probe in Probes)
        {
            if (!probe.AppliesTo(database.Tables))
            {
                rooms.Add(RoomStatus.NotUsed(probe.Room));
                continue;
            }

            await answer.NextResultAsync(cancellationToken);
            rooms.AddRange(await probe.ReadAsync(answer, thresholds, cancellationToken));
        }

        return new(at, rooms);
    }
}
