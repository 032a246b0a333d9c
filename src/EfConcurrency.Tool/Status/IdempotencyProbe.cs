using System.Data.Common;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Status;

internal sealed class IdempotencyProbe : IRoomProbe
{
    public string Room => "idempotency";

    public bool AppliesTo(LibraryTables tables) => tables.Has(LibraryTables.IdempotencyKey);

    public (string Sql, object[] Parameters) Question(string schema, StatusThresholds thresholds)
        => (StatusSql.Idempotency(SqlName.Of(schema, LibraryTables.IdempotencyKey)), [thresholds.Stuck.TotalSeconds]);

    public async Task<IReadOnlyList<RoomStatus>> ReadAsync(DbDataReader answer, StatusThresholds thresholds, CancellationToken cancellationToken)
    {
        await answer.ReadAsync(cancellationToken);
        var (inProgress, unresolved, gone) = (answer.GetInt64(0), answer.GetInt64(1), answer.GetInt64(2));
        var oldest = answer.IsDBNull(3) ? (double?)null : answer.GetDouble(3);
        var stuck = unresolved + gone;
        return
        [
            new(
                Room,
                stuck > 0 ? RoomState.Attention : RoomState.Ok,
                stuck == 0
                    ? $"{inProgress} in progress, none stuck"
                    : $"{inProgress} in progress, {stuck} stuck since up to {Human.Duration(oldest)}: {unresolved} need resolution, of {gone} the worker is gone",
                new Dictionary<string, object?> { ["inProgress"] = inProgress, ["stuck"] = stuck, ["needResolution"] = unresolved, ["workerGone"] = gone, ["oldestStuckSeconds"] = oldest }),
        ];
    }
}
