using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>Makes the state of one execution of a query, with room for what a query that locks has to remember.</summary>
internal sealed class LockedQueryContextFactory(
    QueryContextDependencies dependencies, RelationalQueryContextDependencies relationalDependencies, ILockedQueryGuard guard)
    : IQueryContextFactory
{
    public QueryContext Create() => new Execution(dependencies, relationalDependencies, guard);

    /// <summary>One execution; a compiled query may be enumerated more than once in it.</summary>
    internal sealed class Execution(QueryContextDependencies dependencies, RelationalQueryContextDependencies relationalDependencies, ILockedQueryGuard guard)
        : RelationalQueryContext(dependencies, relationalDependencies)
    {
        public ILockedQueryGuard Guard => guard;

        /// <summary>Set while a query with locks is enumerated.</summary>
        public TrackedRefresh? Refresh { get; set; }

        /// <summary>EF says so for each collection that it includes, and for each reference that it finds empty.</summary>
        public override void SetNavigationIsLoaded(object entity, INavigationBase navigation)
        {
            base.SetNavigationIsLoaded(entity, navigation);
            Refresh?.Included(entity, navigation);
        }
    }
}
