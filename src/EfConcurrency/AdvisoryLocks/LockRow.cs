using System.Data.Common;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>A row of <see cref="AdvisoryLockInspectionSql.Locks"/>.</summary>
internal sealed record LockRow(AdvisoryKey Key, AdvisoryLockMode Mode, bool IsGranted, DateTimeOffset? Since, LockSession Session)
{
    public static LockRow Read(DbDataReader row)
        => new(
            new(row.GetInt64(0), row.GetBoolean(1), name: null, ""),
            row.GetBoolean(2) ? AdvisoryLockMode.Shared : AdvisoryLockMode.Exclusive,
            row.GetBoolean(3),
            Time(row, 4),
            ReadSession(row, row.GetInt32(5), 6));

    /// <summary>The columns that both statements give of a session, from number <paramref name="first"/> on.</summary>
    public static LockSession ReadSession(DbDataReader row, int processId, int first)
        => new(processId, Time(row, first), Time(row, first + 1), Text(row, first + 2), Text(row, first + 3), Text(row, first + 4), Text(row, first + 5), Text(row, first + 6));

    public static DateTimeOffset? Time(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    public static string? Text(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
