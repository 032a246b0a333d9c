using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfConcurrency.QueryPipeline;

/// <summary>A lock on the rows of a table, as it hangs on the table in EF's tree.</summary>
/// <param name="Strength">One of the clauses of <see cref="LockClauseSql"/>.</param>
/// <param name="Wait">What happens where a row is locked already.</param>
internal sealed record LockClause(string Strength, LockWait Wait)
{
    private const string Annotation = "EfConcurrency:RowLock";

    /// <summary>The clause on a table, or on the table in a join. EF copies annotations to the tables of owned types, where they mean nothing.</summary>
    public static LockClause? Find(TableExpressionBase table)
        => table.UnwrapJoin() is TableExpression plain && plain.FindAnnotation(Annotation)?.Value is (LockClause clause, ITableBase of) && of == plain.Table ? clause : null;

    public TableExpressionBase Put(TableExpression table) => table.AddAnnotation(Annotation, (this, table.Table));
}
