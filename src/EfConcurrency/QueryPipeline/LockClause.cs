using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfConcurrency.QueryPipeline;

/// <summary>A lock on the rows of one table, as it hangs on the table in EF's tree.</summary>
/// <param name="Strength">One of the clauses of <see cref="LockClauseSql"/>.</param>
/// <param name="Wait">What happens where a row is locked already.</param>
internal sealed record LockClause(string Strength, LockWait Wait)
{
    private const string Annotation = "EfConcurrency:RowLock";

    /// <summary>The clause on a table, or on the table in a join.</summary>
    public static LockClause? Find(TableExpressionBase table) => table.UnwrapJoin().FindAnnotation(Annotation)?.Value as LockClause;

    public TableExpressionBase Put(TableExpressionBase table) => table.AddAnnotation(Annotation, this);
}
