using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// Looks through a translated statement for its locks, and refuses what PostgreSQL would (0A000), with a word on what to do instead.
/// https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE
/// </summary>
internal sealed class LockShape : ExpressionVisitor
{
    private bool _mayBeMissing;
    private bool _isInSetOperation;
    private bool _skips;

    private LockShape()
    {
    }

    /// <summary>The way the locks of the statement wait; null: it has no locks.</summary>
    public LockWait? Wait { get; private set; }

    /// <summary>Whether the statement also reads tables that it does not lock.</summary>
    public bool ReadsOtherTables { get; private set; }

    public static LockShape Of(Expression statement)
    {
        var shape = new LockShape();
        shape.Visit(statement);
        return shape;
    }

    /// <summary>The further statements of a split query are parts of its shaper. Each has its own time limit and savepoint.</summary>
    public static LockShape Of(ShapedQueryExpression query)
    {
        var (shape, parts) = (Of(query.QueryExpression), Of(query.ShaperExpression));
        if (shape._skips && parts._skips)
        {
            throw new UnsupportedRowLockException(
                "A split query chooses its rows anew in each statement, and with RowLockWait.SkipLocked these may be other rows, whose collections would come back in the place of those asked for. "
                + "Use AsSingleQuery(), or lock without Include(…) and load the collections afterwards.");
        }

        shape.Wait = shape.Wait is null || parts.Wait is { MayFail: true } ? parts.Wait : shape.Wait;
        return shape;
    }

    protected override Expression VisitExtension(Expression node)
    {
        switch (node)
        {
            case SetOperationBase:
                return Within(ref _isInSetOperation, node);

            case SelectExpression select:
                VisitSelect(select);
                return node;

            case FromSqlExpression or TableValuedFunctionExpression { IsBuiltIn: false }:
                ReadsOtherTables = true;
                return node;

            case TableExpression table:
                ReadsOtherTables |= LockClause.Find(table) is null;
                return node;

            default:
                return base.VisitExtension(node);
        }
    }

    private void VisitSelect(SelectExpression select)
    {
        var afterRightJoin = select.Tables.Any(t => t is RightJoinExpression);
        foreach (var table in select.Tables)
        {
            var mayBeMissing = table is LeftJoinExpression or OuterApplyExpression || (afterRightJoin && table is not RightJoinExpression);
            if (LockClause.Find(table) is { } clause)
            {
                Check(select, mayBeMissing);
                Add(clause);
            }

            if (mayBeMissing)
            {
                Within(ref _mayBeMissing, table);
            }
            else
            {
                Visit(table);
            }
        }

        Visit(select.Predicate);
        Visit(select.Having);
        Visit(select.Limit);
        Visit(select.Offset);
        Visit([.. select.GroupBy.Concat<Expression>(select.Projection).Concat(select.Orderings)]);
    }

    private void Check(SelectExpression select, bool mayBeMissing)
    {
        if (mayBeMissing || _mayBeMissing)
        {
            throw new UnsupportedRowLockException(
                "A lock operator stands on the optional side of an outer join, where there may be no row, and PostgreSQL locks none. Lock in a query of its own, or join with Join(…) or a required navigation.");
        }

        if (_isInSetOperation)
        {
            throw new UnsupportedRowLockException(
                "A lock operator stands inside Union, Concat, Intersect or Except, where PostgreSQL allows no lock. Run the parts as queries of their own, or lock by keys afterwards.");
        }

        if (select.IsDistinct || select.GroupBy.Count > 0 || select.Having is not null || select.Projection.Any(p => AggregateFinder.IsIn(p.Expression)) || select.Orderings.Any(o => AggregateFinder.IsIn(o.Expression)))
        {
            throw new UnsupportedRowLockException(
                "A lock operator is combined with Distinct, GroupBy or an aggregate (Count, Sum …), whose result rows are no rows of a table, so PostgreSQL can lock none. "
                + "Lock the rows with ToListAsync() and compute in memory, or leave the lock out.");
        }
    }

    /// <summary>A time limit holds for the whole statement, so there can be one only.</summary>
    private void Add(LockClause clause)
    {
        if (Wait is { Kind: LockWaitKind.WaitLimited } && clause.Wait.Kind == LockWaitKind.WaitLimited && Wait != clause.Wait)
        {
            throw new UnsupportedRowLockException("The lock operators of the query limit the wait to different times, but a limit holds for the whole statement. Give all of them the same RowLockWait.");
        }

        _skips |= clause.Wait.Kind == LockWaitKind.SkipLocked;
        Wait = Wait is { Kind: LockWaitKind.WaitLimited } || (Wait is { MayFail: true } && !clause.Wait.MayFail) ? Wait : clause.Wait;
    }

    private Expression Within(ref bool flag, Expression node)
    {
        var outer = flag;
        flag = true;
        base.VisitExtension(node);
        flag = outer;
        return node;
    }

    /// <summary>Finds aggregates and window functions in one SELECT; a subquery's are its own.</summary>
    private sealed class AggregateFinder : ExpressionVisitor
    {
        private static readonly HashSet<string> Aggregates = new(StringComparer.OrdinalIgnoreCase)
        {
            "count", "sum", "avg", "min", "max", "string_agg", "array_agg", "json_agg", "jsonb_agg", "bool_and", "bool_or",
        };

        private bool _found;

        public static bool IsIn(Expression expression)
        {
            var finder = new AggregateFinder();
            finder.Visit(expression);
            return finder._found;
        }

        protected override Expression VisitExtension(Expression node)
        {
            _found |= node is RowNumberExpression || (node is SqlFunctionExpression function && Aggregates.Contains(function.Name));
            return node is SelectExpression ? node : base.VisitExtension(node);
        }
    }
}
