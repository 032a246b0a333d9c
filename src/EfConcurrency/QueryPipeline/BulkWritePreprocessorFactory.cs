using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// Rewrites bulk writes before EF translates them. Not an <c>IQueryExpressionInterceptor</c>: that one sees no query compilation
/// context, so every value would be baked into EF's cached query.
/// </summary>
internal sealed class BulkWritePreprocessorFactory(
    QueryTranslationPreprocessorDependencies dependencies,
    RelationalQueryTranslationPreprocessorDependencies relationalDependencies,
    IEnumerable<IBulkWriteContributor> contributors)
    : IQueryTranslationPreprocessorFactory
{
    private readonly IBulkWriteContributor[] _contributors = [.. contributors];

    public QueryTranslationPreprocessor Create(QueryCompilationContext queryCompilationContext)
        => new Preprocessor(dependencies, relationalDependencies, queryCompilationContext, _contributors);

    private sealed class Preprocessor(
        QueryTranslationPreprocessorDependencies dependencies,
        RelationalQueryTranslationPreprocessorDependencies relationalDependencies,
        QueryCompilationContext compilation,
        IBulkWriteContributor[] contributors)
        : RelationalQueryTranslationPreprocessor(dependencies, relationalDependencies, compilation)
    {
        public override Expression Process(Expression query)
            => base.Process(new BulkWriteRewriter(QueryCompilationContext, contributors).Visit(query));
    }
}
