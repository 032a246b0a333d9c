using EfConcurrency.Postgres;

namespace EfConcurrency.Versioning;

/// <summary>All SQL of the room. <c>{0}</c>, <c>{1}</c> … stand for parameters.</summary>
internal static class VersioningSql
{
    /// <summary>Whether this transaction wrote the row as it is now.</summary>
    private const string IsOwnWrite = ", coalesce(t.xmin = pg_current_xact_id_if_assigned()::xid, false)";

    /// <summary>Raises a number by one. Parameters: the key.</summary>
    public static string BumpNumber(PropertyTable table)
        => $"/* efconcurrency versioning.bump-root */ update {table.Name} set {table.Column} = {table.Column} + 1 where {KeyIs(table)} returning 1";

    /// <summary>Sets a fresh UUID. Parameters: the key, the UUID.</summary>
    public static string BumpGuid(PropertyTable table)
        => $"/* efconcurrency versioning.bump-root */ update {table.Name} set {table.Column} = {{{table.Keys.Length}}} where {KeyIs(table)} returning 1";

    /// <summary>Rewrites the row unchanged, so that the server gives it a new xmin. Parameters: the key.</summary>
    public static string BumpXmin(PropertyTable table)
        => $"/* efconcurrency versioning.bump-root */ update {table.Name} set {table.Keys[0]} = {table.Keys[0]} where {KeyIs(table)} returning 1";

    /// <summary>
    /// Finds the row only if it still has the version, and keeps writers off it until commit (FOR SHARE conflicts with every
    /// UPDATE and DELETE). https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
    /// Parameters: the key, the version.
    /// </summary>
    public static string Verify(PropertyTable table)
        => $"/* efconcurrency versioning.verify */ select 1 from {table.Name} where {KeyIs(table)} and {table.Column} = {{{table.Keys.Length}}} for share";

    /// <summary>
    /// Reads the versions of <paramref name="rows"/> rows, each with the position at which it was asked for; <paramref name="amongOwnWrites"/>: and whether it is this transaction's.
    /// Parameters: the keys, row by row, from number <paramref name="first"/> on.
    /// </summary>
    public static string ReadVersions(PropertyTable table, int rows, int first, bool amongOwnWrites)
    {
        var width = table.Keys.Length;
        var asked = Enumerable.Range(0, rows).Select(row => $"({row}, {Placeholders(first + (row * width), width)})");
        var columns = Enumerable.Range(0, width).Select(i => $"key{i}");
        var isAsked = table.Keys.Select((key, i) => $"t.{key} = asked.key{i}");
        return $"/* efconcurrency versioning.read-versions */ select asked.position, t.{table.Column}{(amongOwnWrites ? IsOwnWrite : "")} from {table.Name} t "
            + $"join (values {string.Join(", ", asked)}) asked(position, {string.Join(", ", columns)}) on {string.Join(" and ", isAsked)}";
    }

    /// <summary>
    /// Locks <paramref name="rows"/> rows in the order of their keys, so that two sessions that lock the same rows can't deadlock.
    /// FOR NO KEY UPDATE is what an UPDATE takes itself and lets foreign-key checks through. Parameters: the keys, row by row,
    /// from number <paramref name="first"/> on.
    /// </summary>
    public static string LockRows(PropertyTable table, int rows, int first)
    {
        var width = table.Keys.Length;
        var keys = Enumerable.Range(0, rows).Select(row => $"({Placeholders(first + (row * width), width)})");
        return $"/* efconcurrency versioning.lock-rows */ select 1 from {table.Name} "
            + $"where ({string.Join(", ", table.Keys)}) in ({string.Join(", ", keys)}) order by {string.Join(", ", table.Keys)} for no key update";
    }

    private static string KeyIs(PropertyTable table)
        => string.Join(" and ", table.Keys.Select((key, i) => $"{key} = {{{i}}}"));

    private static string Placeholders(int first, int count)
        => string.Join(", ", Enumerable.Range(first, count).Select(i => $"{{{i}}}"));
}
