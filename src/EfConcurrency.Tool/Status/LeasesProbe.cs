using System.Data.Common;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Status;

internal sealed class LeasesProbe : IRoomProbe
{
    public string Room => "leases";

    public bool AppliesTo(LibraryTables tables) => tables.Has(LibraryTables.Lease);

    public (string Sql, object[] Parameters) Question(string schema, StatusThresholds thresholds)
        => (StatusSql.Leases(SqlName.Of(schema, LibraryTables.Lease)), [thresholds.Abandoned.TotalSeconds]);

    public async Task<IReadOnlyList<RoomStatus>> ReadAsync(DbDataReader answer, StatusThresholds thresholds, CancellationToken cancellationToken)
    {
        await answer.ReadAsync(cancellationToken);
        var (held, expired, abandoned) = (answer.GetInt64(0), answer.GetInt64(1), answer.GetInt64(2));
        var next = answer.IsDBNull(3) ? (double?)null : answer.GetDouble(3);
        var names = answer.GetFieldValue<string[]>(4);
        var summary = $"{held} held{(next is null ? "" : $" (next expires in {Human.Duration(next)})")}, {expired} expired";
        return
        [
            new(
                Room,
                abandoned > 0 ? RoomState.Attention : RoomState.Ok,
                abandoned == 0 ? summary : $"{summary}, {abandoned} abandoned for more than {Human.Duration(thresholds.Abandoned)}: {Human.Names(names, abandoned)}",
                new Dictionary<string, object?> { ["held"] = held, ["expired"] = expired, ["abandoned"] = abandoned, ["nextExpirySeconds"] = next, ["abandonedNames"] = names }),
        ];
    }
}
