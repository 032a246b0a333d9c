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
    /// Each session stands once, as near to a root as it can: who waits in a queue is blocked by the holder and by all who wait before it, and a branch for each
    /// would double with every one of them. Roots wait for nobody. Sessions in a circle, which the server is about to break up as a deadlock,
    /// have no root: one of them stands for it.
    /// </summary>
    public static IReadOnlyList<BlockedSession> Tree(IReadOnlyList<BlockingRow> rows, Func<AdvisoryKey, string?> name)
    {
        var blockedBy = rows.SelectMany(r => r.Blockers.Distinct().Select(b => (Blocker: b, Row: r))).ToLookup(p => p.Blocker, p => p.Row);
        var below = rows.ToDictionary(r => r.Session.ProcessId, _ => new List<BlockingRow>());
        var placed = new HashSet<int>();
        var roots = new List<BlockingRow>();
        Root([.. rows.Where(r => r.Blockers.Length == 0)]);
        foreach (var row in rows.Where(r => !placed.Contains(r.Session.ProcessId)))
        {
            Root(row);
        }

        return [.. roots.Select(Node)];

        // Breadth first: a session is reached by its shortest way.
        void Root(params BlockingRow[] starts)
        {
            roots.AddRange(starts);
            placed.UnionWith(starts.Select(s => s.Session.ProcessId));
            var queue = new Queue<BlockingRow>(starts);
            while (queue.TryDequeue(out var above))
            {
                foreach (var row in blockedBy[above.Session.ProcessId].Where(r => placed.Add(r.Session.ProcessId)))
                {
                    below[above.Session.ProcessId].Add(row);
                    queue.Enqueue(row);
                }
            }
        }

        BlockedSession Node(BlockingRow row)
            => new(row.Session, row.WaitsFor(), row.Key is null ? null : name(row.Key), row.Since, [.. below[row.Session.ProcessId].Select(Node)]);
    }

    private string? WaitsFor() => LockType is null ? null : Key is not null ? $"advisory {Key.Digits}" : Relation is null ? LockType : $"{LockType} {Relation}";
}
