using System.Data.Common;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Status;

internal sealed class InboxProbe : IRoomProbe
{
    public string Room => "inbox";

    public bool AppliesTo(LibraryTables tables) => tables.Has(LibraryTables.Inbox);

    public (string Sql, object[] Parameters) Question(string schema, StatusThresholds thresholds)
        => (StatusSql.Inbox, [SqlName.Of(schema, LibraryTables.Inbox)]);

    public async Task<IReadOnlyList<RoomStatus>> ReadAsync(DbDataReader answer, StatusThresholds thresholds, CancellationToken cancellationToken)
    {
        await answer.ReadAsync(cancellationToken);
        var rows = answer.GetInt64(0);
        return [new(Room, RoomState.Ok, $"about {rows} messages remembered", new Dictionary<string, object?> { ["rowsEstimated"] = rows })];
    }
}
