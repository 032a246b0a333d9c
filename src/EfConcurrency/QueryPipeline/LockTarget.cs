#pragma warning disable EF1001 // The tables of a query that is being translated can be set by EF-internal API only.
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.Internal;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfConcurrency.QueryPipeline;

/// <summary>Finds the tables that an entity of a query is read from, through subqueries too: a lock goes where the rows are chosen.</summary>
/// <param name="name">The operator, for messages.</param>
/// <param name="clause">The lock.</param>
internal sealed class LockTarget(string name, LockClause clause)
{
    public void Lock(ShapedQueryExpression source)
    {
        var shaper = source.ShaperExpression is UnaryExpression { NodeType: ExpressionType.Convert } convert ? convert.Operand : source.ShaperExpression;
        if (shaper is not StructuralTypeShaperExpression { StructuralType: IEntityType entityType, ValueBufferExpression: ProjectionBindingExpression binding })
        {
            throw new UnsupportedRowLockException(
                $"{name}() stands behind a projection, where it can't be told whose rows to lock. Put it on the entities, before Select(…).");
        }

        if (entityType.FindPrimaryKey() is null || entityType.IsMappedToJson())
        {
            throw new UnsupportedRowLockException(
                $"{name}() can't lock '{entityType.DisplayName()}': it {(entityType.IsMappedToJson() ? "is part of a JSON column" : "has no key")}, so nothing says which rows are meant. Lock the entity that the rows belong to.");
        }

        var select = (SelectExpression)source.QueryExpression;
        var projection = select.GetProjection(binding) as StructuralTypeProjectionExpression
            ?? throw NoTable(entityType.DisplayName());
        var columns = entityType.GetProperties().Select(projection.BindProperty).OfType<ColumnExpression>();
        select.SetTables(Lock(select, [.. columns]));
    }

    /// <summary>Derived tables of a hierarchy and parts of a split entity have rows of their own, each to be locked.</summary>
    private List<TableExpressionBase> Lock(SelectExpression select, IReadOnlyList<ColumnExpression> columns)
    {
        var tables = select.Tables.ToList();
        foreach (var perTable in columns.GroupBy(c => c.TableAlias))
        {
            var index = tables.FindIndex(t => t.UnwrapJoin().Alias == perTable.Key);
            if (index < 0)
            {
                throw NoTable(perTable.Key);
            }

            tables[index] = tables[index] switch
            {
                InnerJoinExpression join => join.Update(Lock(join.Table, [.. perTable]), join.JoinPredicate),
                CrossJoinExpression join => join.Update(Lock(join.Table, [.. perTable])),
                CrossApplyExpression join => join.Update(Lock(join.Table, [.. perTable])),
                LeftJoinExpression or OuterApplyExpression or RightJoinExpression => throw NullableSide(),
                JoinExpressionBase => throw NoTable(perTable.Key),
                var table => Lock(table, [.. perTable]),
            };
        }

        return tables;
    }

    private TableExpressionBase Lock(TableExpressionBase table, IReadOnlyList<ColumnExpression> columns)
    {
        switch (table)
        {
            case TableExpression { Table: ITable } plain:
                return LockClause.Find(plain) is { } other && other != clause
                    ? throw new UnsupportedRowLockException($"{name}() locks '{plain.Name}', which another lock operator of the query locks in another way. Leave one of them out; the stronger contains the weaker.")
                    : clause.Put(plain);

            case SelectExpression subquery:
                var inner = columns.Select(c => subquery.Projection.FirstOrDefault(p => p.Alias == c.Name)?.Expression).OfType<ColumnExpression>().ToList();
                if (inner.Count == 0)
                {
                    throw NoTable(table.Alias);
                }

                return subquery.Update(
                    Lock(subquery, inner), subquery.Predicate, subquery.GroupBy, subquery.Having, subquery.Projection, subquery.Orderings, subquery.Offset, subquery.Limit);

            case TpcTablesExpression:
                throw new UnsupportedRowLockException(
                    $"{name}() can't lock a whole hierarchy that has one table for each type (TPC): PostgreSQL allows no lock on a UNION. Query each concrete type by itself.");

            case SetOperationBase:
                throw new UnsupportedRowLockException(
                    $"{name}() stands behind Union, Concat, Intersect or Except, on which PostgreSQL allows no lock. Lock by keys: db.Set<T>().Where(e => keys.Contains(e.Id)).{name}().");

            case FromSqlExpression:
                throw new UnsupportedRowLockException(
                    $"{name}() can't lock what comes from SQL of your own (FromSql, ToSqlQuery). Query the DbSet instead, or write the lock into that SQL.");

            default:
                throw NoTable(table.Alias);
        }
    }

    private UnsupportedRowLockException NoTable(string? what)
        => new($"{name}() can't lock '{what}': it is no table of the database (a view, a function, a list of values). Query the DbSet of the rows to be locked.");

    private UnsupportedRowLockException NullableSide()
        => new($"{name}() stands on the optional side of an outer join, where there may be no row, and PostgreSQL locks none. Lock in a query of its own, or join with Join(…) or a required navigation.");
}
