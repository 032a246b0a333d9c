namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>A query with a lock, what its SQL must contain, and what must be locked after it.</summary>
/// <param name="Name">In the test's display name.</param>
/// <param name="Query">The query.</param>
/// <param name="Sql">Parts of its SQL, in this order; line breaks count as blanks.</param>
/// <param name="Rows">The number of results.</param>
/// <param name="Locked">Table and locked keys, such as <c>Orders: 1 2</c>.</param>
public sealed record Shape(string Name, Func<DepotContext, IQueryable<object>> Query, string[] Sql, int Rows, params string[] Locked)
{
    public override string ToString() => Name;

    public static string Normal(string sql) => string.Join(' ', sql.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries));
}
