#pragma warning disable EF1001 // EF has no seam for query operators of others: Npgsql's translator is derived from.
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query.Internal;

namespace EfConcurrency.QueryPipeline;

/// <summary>Translates the lock operators: hangs the clause on the tables from which the query takes its entity.</summary>
internal sealed class LockTranslatorFactory(
    QueryableMethodTranslatingExpressionVisitorDependencies dependencies,
    RelationalQueryableMethodTranslatingExpressionVisitorDependencies relationalDependencies,
    INpgsqlSingletonOptions options)
    : IQueryableMethodTranslatingExpressionVisitorFactory
{
    public QueryableMethodTranslatingExpressionVisitor Create(QueryCompilationContext queryCompilationContext)
        => new Translator(dependencies, relationalDependencies, (RelationalQueryCompilationContext)queryCompilationContext, options);

    private sealed class Translator : NpgsqlQueryableMethodTranslatingExpressionVisitor
    {
        public Translator(
            QueryableMethodTranslatingExpressionVisitorDependencies dependencies,
            RelationalQueryableMethodTranslatingExpressionVisitorDependencies relationalDependencies,
            RelationalQueryCompilationContext compilation,
            INpgsqlSingletonOptions options)
            : base(dependencies, relationalDependencies, compilation, options)
        {
        }

        private Translator(Translator parent)
            : base(parent)
        {
        }

        protected override QueryableMethodTranslatingExpressionVisitor CreateSubqueryVisitor() => new Translator(this);

        protected override Expression VisitMethodCall(MethodCallExpression methodCallExpression)
        {
            if (LockOperatorAttribute.Read(methodCallExpression) is not { } clause)
            {
                return base.VisitMethodCall(methodCallExpression);
            }

            if (Visit(methodCallExpression.Arguments[0]) is not ShapedQueryExpression source)
            {
                return QueryCompilationContext.NotTranslatedExpression;
            }

            new LockTarget(methodCallExpression.Method.Name, clause).Lock(source);
            return source;
        }
    }
}
