using System.Data.Common;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Status;

internal sealed class SlotsProbe : IRoomProbe
{
    public string Room => "slots";

    public bool AppliesTo(LibraryTables tables) => tables.Has(LibraryTables.JobSlot);

    public (string Sql, object[] Parameters) Question(string schema, StatusThresholds thresholds)
        => (StatusSql.Slots(SqlName.Of(schema, LibraryTables.JobSlot)), [thresholds.SlotDelay.TotalSeconds]);

    public async Task<IReadOnlyList<RoomStatus>> ReadAsync(DbDataReader answer, StatusThresholds thresholds, CancellationToken cancellationToken)
    {
        await answer.ReadAsync(cancellationToken);
        var (jobs, running, late) = (answer.GetInt64(0), answer.GetInt64(1), answer.GetInt64(2));
        var names = answer.GetFieldValue<string[]>(3);
        var summary = $"{Human.Count(jobs, "job")}, {running} running";
        return
        [
            new(
                Room,
                late > 0 ? RoomState.Attention : RoomState.Ok,
                late == 0 ? summary : $"{summary}, of {late} the runner is gone: {Human.Names(names, names.Length)}",
                new Dictionary<string, object?> { ["jobs"] = jobs, ["running"] = running, ["late"] = late, ["lateJobs"] = names }),
        ];
    }
}
