using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfConcurrency.QueryPipeline;

/// <summary>Checks what became of the lock operators when EF was done with the query, and makes the query run as one that locks.</summary>
internal sealed class LockedQueryCompilerFactory(
    ShapedQueryCompilingExpressionVisitorDependencies dependencies, RelationalShapedQueryCompilingExpressionVisitorDependencies relationalDependencies)
    : IShapedQueryCompilingExpressionVisitorFactory
{
    public ShapedQueryCompilingExpressionVisitor Create(QueryCompilationContext queryCompilationContext)
        => new Compiler(dependencies, relationalDependencies, queryCompilationContext);

    private sealed class Compiler(
        ShapedQueryCompilingExpressionVisitorDependencies dependencies,
        RelationalShapedQueryCompilingExpressionVisitorDependencies relationalDependencies,
        QueryCompilationContext compilation)
        : RelationalShapedQueryCompilingExpressionVisitor(dependencies, relationalDependencies, compilation)
    {
        private bool _refreshes;

        protected override Expression VisitShapedQuery(ShapedQueryExpression shapedQueryExpression)
        {
            if (WholeCollections.Of(QueryCompilationContext) is not { } wholeCollections)
            {
                return base.VisitShapedQuery(shapedQueryExpression);
            }

            var shape = LockShape.Of(shapedQueryExpression);
            var wait = shape.Wait ?? throw new UnsupportedRowLockException(
                "A lock operator stands in a part of the query from which nothing is used, so EF leaves that part out, and the lock with it. Lock in a query of its own.");
            _refreshes = QueryCompilationContext.QueryTrackingBehavior == QueryTrackingBehavior.TrackAll;
            var query = base.VisitShapedQuery(shapedQueryExpression);
            return Expression.New(
                typeof(LockedQuery<>).MakeGenericType(ElementType(query.Type)).GetConstructors().Single(),
                Expression.Convert(QueryCompilationContext.QueryContextParameter, typeof(RelationalQueryContext)),
                query,
                Expression.Constant(wait),
                Expression.Constant(shape.ReadsOtherTables),
                Expression.Constant(wholeCollections));
        }

        protected override Expression VisitExtension(Expression extensionExpression)
        {
            if (extensionExpression is UpdateExpression or DeleteExpression)
            {
                BulkWriteLocks.Check(extensionExpression);
            }

            return base.VisitExtension(extensionExpression);
        }

        protected override Expression InjectStructuralTypeMaterializers(Expression expression)
        {
            var materializer = base.InjectStructuralTypeMaterializers(expression);
            return _refreshes ? TrackedRefreshRewriter.Rewrite(expression, materializer) : materializer;
        }

        /// <summary>Not the type argument: a query that groups in memory has one for the key and one for the elements.</summary>
        private static Type ElementType(Type sequence)
            => sequence.GetInterfaces().Single(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>)).GenericTypeArguments[0];
    }
}
