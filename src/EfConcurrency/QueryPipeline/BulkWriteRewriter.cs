using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>Finds the bulk write in a query, asks the contributors, and writes their setters and conditions into the tree.</summary>
internal sealed class BulkWriteRewriter(QueryCompilationContext compilation, IBulkWriteContributor[] contributors) : ExpressionVisitor
{
    private const string ExecuteUpdate = "ExecuteUpdate";
    private const string ExecuteDelete = "ExecuteDelete";

    private static readonly ConstructorInfo Setter = typeof(Tuple<Delegate, object>).GetConstructor([typeof(Delegate), typeof(object)])!;

    private static readonly MethodInfo Where = new Func<IQueryable<object>, Expression<Func<object, bool>>, IQueryable<object>>(Queryable.Where).Method.GetGenericMethodDefinition();

    private readonly HashSet<string> _markers = new(StringComparer.Ordinal);

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (QueryMarkerAttribute.Is(node.Method))
        {
            _markers.Add(node.Method.Name);
            return Visit(node.Arguments[0]);
        }

        if (node.Method.DeclaringType == typeof(EntityFrameworkQueryableExtensions) && node.Method.IsGenericMethod && node.Method.Name is ExecuteUpdate or ExecuteDelete)
        {
            // Markers stand inside the source, so it is visited first.
            return Rewrite(node, Visit(node.Arguments[0]));
        }

        return base.VisitMethodCall(node);
    }

    private MethodCallExpression Rewrite(MethodCallExpression node, Expression source)
    {
        var elementType = node.Method.GetGenericArguments()[0];
        var isUpdate = node.Method.Name == ExecuteUpdate;
        var setters = isUpdate ? BulkSetters.Read(node.Arguments[1], compilation.Model) : null;
        var entityType = setters?.EntityType ?? compilation.Model.FindEntityType(elementType);
        if (entityType is null)
        {
            return node.Update(null, [source, .. node.Arguments.Skip(1)]);
        }

        var write = new BulkWrite(entityType, isUpdate, setters?.Assigned ?? [], _markers, compilation);
        foreach (var contributor in contributors)
        {
            contributor.Contribute(write);
        }

        var target = setters?.Target ?? (static entity => entity);
        foreach (var condition in write.Conditions)
        {
            var element = Expression.Parameter(elementType, "e");
            source = Expression.Call(Where.MakeGenericMethod(elementType), source, Expression.Quote(Expression.Lambda(condition(target(element)), element)));
        }

        return isUpdate
            ? Expression.Call(node.Method, source, Expression.NewArrayInit(typeof(ITuple), [.. setters!.Expressions, .. write.Setters.Select(s => New(elementType, target, s.Property, s.Value))]))
            : Expression.Call(node.Method, source);
    }

    private static NewExpression New(Type elementType, Func<Expression, Expression> target, IProperty property, Func<Expression, Expression> value)
    {
        var written = Expression.Parameter(elementType, "e");
        var read = Expression.Parameter(elementType, "e");
        return Expression.New(
            Setter,
            Expression.Lambda(BulkWrite.Property(target(written), property), written),
            Expression.Lambda(value(target(read)), read));
    }
}
