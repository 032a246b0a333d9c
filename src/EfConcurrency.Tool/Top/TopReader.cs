using EfConcurrency.Tool.Database;
using EfConcurrency.Tool.Locks;
using EfConcurrency.Tool.Status;

namespace EfConcurrency.Tool.Top;

internal static class TopReader
{
    private const int Shown = 10;

    public static async Task<TopView> ReadAsync(OperatorDatabase database, StatusThresholds thresholds, CancellationToken cancellationToken)
    {
        var status = await StatusReader.ReadAsync(database, thresholds, cancellationToken);
        var tree = await BlockingTree.ReadAsync(database, cancellationToken);
        var waits = tree.SelectMany(t => t.Flatten()).Where(t => t.WaitsFor is not null).OrderByDescending(t => t.Seconds ?? 0).Take(Shown).Select(WaitRow.Of);
        return new(status, tree, [.. waits], await ExpiringAsync(database, cancellationToken));
    }

    private static async Task<IReadOnlyList<ExpiringLease>> ExpiringAsync(OperatorDatabase database, CancellationToken cancellationToken)
    {
        var leases = new List<ExpiringLease>();
        if (!database.Tables.Has(LibraryTables.Lease))
        {
            return leases;
        }

        await using var command = database.Source.CreateCommand(TopSql.Expiring(SqlName.Of(database.Schema, LibraryTables.Lease)));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            leases.Add(new(reader.GetString(0), reader.GetInt64(1), await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetString(2), reader.GetDouble(3)));
        }

        return leases;
    }
}
