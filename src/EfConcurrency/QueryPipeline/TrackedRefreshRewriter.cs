#pragma warning disable EF1001 // The entry of an entity that is tracked already appears in EF's own tree only.
using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// EF hands out an entity that is tracked already as it is, old values and all. In a query that locks, its row is read all the same:
/// <code>if (entry != null) use it; else { materialize; track }</code>
/// becomes
/// <code>if (entry != null AND NOT due) use it; else { materialize; refresh the entry, or track }; use the entry's instance</code>
/// </summary>
internal sealed class TrackedRefreshRewriter : ExpressionVisitor
{
    private static readonly MethodInfo IsDue = typeof(TrackedRefresh).GetMethod(nameof(TrackedRefresh.IsDue))!;
    private static readonly MethodInfo Track = typeof(TrackedRefresh).GetMethod(nameof(TrackedRefresh.Track))!;

    private ParameterExpression? _entry;
    private int _rewritten;

    public static Expression Rewrite(Expression shaper, Expression materializer)
    {
        // What is owned in a JSON column comes new with its owner; complex values have no entry.
        if (shaper is not StructuralTypeShaperExpression { StructuralType: IEntityType entityType } || entityType.IsMappedToJson() || entityType.FindPrimaryKey() is null)
        {
            return materializer;
        }

        var rewriter = new TrackedRefreshRewriter();
        var result = rewriter.Visit(materializer);
        return rewriter._rewritten == 1 ? result
            : throw new InvalidOperationException("EF Core's tree for a tracked entity is not the one that this version of EfConcurrency knows, so lock operators can't refresh entities. Use the EF Core version that the package asks for.");
    }

    protected override Expression VisitConditional(ConditionalExpression node)
    {
        if (node is not
            {
                Test: BinaryExpression { NodeType: ExpressionType.NotEqual, Left: ParameterExpression entry },
                IfTrue: BlockExpression { Expressions: [_, BinaryExpression { NodeType: ExpressionType.Assign, Left: ParameterExpression instance, Right: var tracked }] } found,
            }
            || entry.Type != typeof(InternalEntityEntry))
        {
            return base.VisitConditional(node);
        }

        _entry = entry;
        var read = Visit(node.IfFalse);
        return Expression.IfThenElse(
            Expression.AndAlso(node.Test, Expression.Not(Expression.Call(IsDue, QueryCompilationContext.QueryContextParameter, entry))),
            found,
            Expression.Block(
                read,
                Expression.IfThen(Expression.NotEqual(entry, Expression.Default(entry.Type)), Expression.Assign(instance, tracked))));
    }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (_entry is null || node.Method.Name != nameof(QueryContext.StartTracking) || node.Method.DeclaringType != typeof(QueryContext))
        {
            return base.VisitMethodCall(node);
        }

        _rewritten++;
        return Expression.Call(Track, [node.Object!, _entry, .. node.Arguments]);
    }
}
