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
    INpgsqlSingletonOptions options,
    IShapedQueryCompilingExpressionVisitorFactory compilers,
    IQuerySqlGeneratorFactory generators,
    IQueryContextFactory contexts)
    : IQueryableMethodTranslatingExpressionVisitorFactory
{
    public QueryableMethodTranslatingExpressionVisitor Create(QueryCompilationContext queryCompilationContext)
        => new Translator(dependencies, relationalDependencies, (RelationalQueryCompilationContext)queryCompilationContext, options, ThrowIfReplaced);

    /// <summary>ReplaceService is refused at the start; another plug-in can still come later, and the lock would be left out without a word.</summary>
    private void ThrowIfReplaced()
    {
        object? other = compilers is not LockedQueryCompilerFactory ? compilers
            : generators is not LockSqlGeneratorFactory ? generators
            : contexts is not LockedQueryContextFactory ? contexts
            : null;
        if (other is not null)
        {
            throw new InvalidOperationException(
                $"Lock operators need the query services of EfConcurrency, but another plug-in has put '{other.GetType()}' in the place of one. "
                + "Call UseEfConcurrency() after it, or remove it.");
        }
    }

    private sealed class Translator : NpgsqlQueryableMethodTranslatingExpressionVisitor
    {
        private readonly Action _throwIfReplaced;
        private Expression? _query;

        public Translator(
            QueryableMethodTranslatingExpressionVisitorDependencies dependencies,
            RelationalQueryableMethodTranslatingExpressionVisitorDependencies relationalDependencies,
            RelationalQueryCompilationContext compilation,
            INpgsqlSingletonOptions options,
            Action throwIfReplaced)
            : base(dependencies, relationalDependencies, compilation, options) => _throwIfReplaced = throwIfReplaced;

        private Translator(Translator parent)
            : base(parent) => (_throwIfReplaced, _query) = (parent._throwIfReplaced, parent._query);

        public override Expression Translate(Expression expression)
        {
            // The first call has the whole query; EF calls again for parts of it.
            _query ??= expression;
            return base.Translate(expression);
        }

        protected override QueryableMethodTranslatingExpressionVisitor CreateSubqueryVisitor() => new Translator(this);

        protected override Expression VisitMethodCall(MethodCallExpression methodCallExpression)
        {
            if (LockOperatorAttribute.Read(methodCallExpression) is not { } clause)
            {
                return base.VisitMethodCall(methodCallExpression);
            }

            _throwIfReplaced();
            WholeCollections.Find(QueryCompilationContext, _query!);
            if (Visit(methodCallExpression.Arguments[0]) is not ShapedQueryExpression source)
            {
                return QueryCompilationContext.NotTranslatedExpression;
            }

            new LockTarget(methodCallExpression.Method.Name, clause).Lock(source);
            return source;
        }
    }
}
