using System.Data.Common;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Status;

internal sealed class LocksProbe : IRoomProbe
{
    public string Room => "locks";

    public bool AppliesTo(LibraryTables tables) => true;

    public (string Sql, object[] Parameters) Question(string schema, StatusThresholds thresholds) => (StatusSql.Locks, []);

    public async Task<IReadOnlyList<RoomStatus>> ReadAsync(DbDataReader answer, StatusThresholds thresholds, CancellationToken cancellationToken)
    {
        await answer.ReadAsync(cancellationToken);
        var (held, waiting, longest) = (answer.GetInt64(0), answer.GetInt64(1), answer.IsDBNull(2) ? (double?)null : answer.GetDouble(2));
        return
        [
            new(
                Room,
                longest > thresholds.LockWait.TotalSeconds ? RoomState.Attention : RoomState.Ok,
                $"{held} held, {waiting} waited for{(longest is null ? "" : $", longest wait {Human.Duration(longest)}")}",
                new Dictionary<string, object?> { ["held"] = held, ["waiting"] = waiting, ["longestWaitSeconds"] = longest }),
        ];
    }
}
