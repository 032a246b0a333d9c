using System.Data.Common;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Status;

/// <summary>Asks one room by one statement; the statements of all rooms are one round trip.</summary>
internal interface IRoomProbe
{
    string Room { get; }

    /// <summary>Whether the schema has what the statement looks at.</summary>
    bool AppliesTo(LibraryTables tables);

    (string Sql, object[] Parameters) Question(string schema, StatusThresholds thresholds);

    /// <summary>Reads the answer to its end.</summary>
    Task<IReadOnlyList<RoomStatus>> ReadAsync(DbDataReader answer, StatusThresholds thresholds, CancellationToken cancellationToken);
}
