using System.Data.Common;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>A row of <see cref="AdvisoryLockInspectionSql.Blocking"/>, and the tree of them.</summary>
internal sealed record BlockingRow(LockSession Session, string? LockType, AdvisoryKey? Key, string? Relation, DateTimeOffset? Since, int[] Blockers)
{
    public static BlockingRow Read(DbDataReader row)
    {
        var lockType = LockRow.Text(row, 1);
        return new(
            LockRow.ReadSession(row, row.GetInt32(0), 7),
            lockType,
            lockType == "advisory" ? new(row.GetInt64(2), row.GetBoolean(3), name: null, "") : null,
            LockRow.Text(row, 4),
            LockRow.Time(row, 5),
            row.GetFieldValue<int[]>(6));
    }

    /// <summary>
    /// Roots are the sessions that wait for nobody. Those in a circle, which the server is about to break up as a deadlock, have none:
    /// one of them stands for a root, and no branch comes back to itself.
    /// </summary>
    public static IReadOnlyList<BlockedSession> Tree(IReadOnlyList<BlockingRow> rows, Func<AdvisoryKey, string?> name)
    {
        var reached = new HashSet<int>();
        var roots = new List<BlockedSession>();
        foreach (var row in rows.OrderBy(r => r.Blockers.Length > 0))
        {
            if (row.Blockers.Length == 0 || !reached.Contains(row.Session.ProcessId))
            {
                roots.Add(Node(row, []));
            }
        }

        return roots;

        BlockedSession Node(BlockingRow row, int[] above)
        {
            reached.Add(row.Session.ProcessId);
            int[] path = [.. above, row.Session.ProcessId];
            var blocks = rows.Where(r => r.Blockers.Contains(row.Session.ProcessId) && !path.Contains(r.Session.ProcessId)).Select(r => Node(r, path));
            return new(row.Session, row.WaitsFor(), row.Key is null ? null : name(row.Key), row.Since, [.. blocks]);
        }
    }

    private string? WaitsFor() => LockType is null ? null : Key is not null ? $"advisory {Key.Digits}" : Relation is null ? LockType : $"{LockType} {Relation}";
}
