using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// The collections that a query includes as a whole, without a filter of its own or of the model: what is tracked and not in such a
/// result is no longer there.
/// </summary>
internal sealed class WholeCollections : ExpressionVisitor
{
    private static readonly ConditionalWeakTable<QueryCompilationContext, WholeCollections> Queries = [];

    private readonly HashSet<INavigationBase> _whole = [];
    private readonly HashSet<INavigationBase> _filtered = [];

    private WholeCollections()
    {
    }

    /// <summary>Looks through a query with a lock operator, whose navigations EF has expanded; its translation shows the filters no more.</summary>
    public static void Find(QueryCompilationContext compilation, Expression query)
    {
        var found = new WholeCollections();
        found.Visit(query);
        Queries.AddOrUpdate(compilation, found);
    }

    /// <summary>What was found; null when the query has no lock operator.</summary>
    public static INavigationBase[]? Of(QueryCompilationContext compilation)
        => Queries.TryGetValue(compilation, out var found) ? [.. found._whole.Except(found._filtered)] : null;

    protected override Expression VisitExtension(Expression node)
    {
        if (node is MaterializeCollectionNavigationExpression { Navigation: var navigation, Subquery: var subquery })
        {
            (IsJoinOnly(subquery) ? _whole : _filtered).Add(navigation);
        }

        return base.VisitExtension(node);
    }

    /// <summary>One Where joins the collection to its owner; Select includes what stands below it.</summary>
    private static bool IsJoinOnly(Expression subquery)
    {
        var conditions = 0;
        while (subquery is MethodCallExpression { Method.Name: nameof(Queryable.Where) or nameof(Queryable.Select) } call)
        {
            conditions += call.Method.Name == nameof(Queryable.Where) ? 1 : 0;
            subquery = call.Arguments[0];
        }

        return conditions == 1 && subquery is EntityQueryRootExpression;
    }
}
