using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// Reads the setters of an <c>ExecuteUpdate</c>: EF passes an array of tuples (property selector, value). A shape that is not known is an
/// error: to skip it would mean to write without raising the version.
/// </summary>
internal sealed class BulkSetters
{
    private BulkSetters(IReadOnlyList<Expression> expressions, IEntityType? entityType, IReadOnlyList<IProperty> assigned, Func<Expression, Expression>? target)
    {
        Expressions = expressions;
        EntityType = entityType;
        Assigned = assigned;
        Target = target;
    }

    public IReadOnlyList<Expression> Expressions { get; }

    /// <summary>The entity whose row is written: what the first selector goes through, owners in the place of what they own.</summary>
    public IEntityType? EntityType { get; }

    public IReadOnlyList<IProperty> Assigned { get; }

    /// <summary>From an element of the query to that entity.</summary>
    public Func<Expression, Expression>? Target { get; }

    public static BulkSetters Read(Expression setters, IModel model)
    {
        if (setters is not NewArrayExpression array || array.Type != typeof(ITuple[]) || array.Expressions.Count == 0)
        {
            throw Unknown(setters);
        }

        var selectors = array.Expressions.Select(Selector).ToList();
        var first = selectors[0];
        var entity = Entity(first.Body, model);
        var entityType = entity is null ? null : model.FindEntityType(entity.Type);
        var assigned = entityType is null ? [] : selectors.Select(s => entityType.FindProperty(Name(s.Body) ?? "")).OfType<IProperty>().ToList();
        return new(
            array.Expressions,
            entityType,
            assigned,
            entity is null ? null : element => new ReplacingExpressionVisitor([first.Parameters[0]], [element]).Visit(entity));
    }

    private static LambdaExpression Selector(Expression setter)
        => setter is NewExpression { Arguments: [var selector, _] }
            ? selector switch
            {
                LambdaExpression lambda => lambda,
                UnaryExpression { Operand: LambdaExpression lambda } => lambda,
                _ => throw Unknown(setter),
            }
            : throw Unknown(setter);

    /// <summary>Walks from the written property inwards to the first entity that is not owned.</summary>
    private static Expression? Entity(Expression written, IModel model)
    {
        for (var e = Inner(written); e is not null; e = Inner(e))
        {
            if (model.FindEntityType(e.Type) is { } type && !type.IsOwned())
            {
                return e;
            }
        }

        return null;
    }

    private static Expression? Inner(Expression e) => e switch
    {
        MemberExpression member => member.Expression,
        MethodCallExpression { Method.Name: nameof(EF.Property), Object: null } property => property.Arguments[0],
        UnaryExpression unary => unary.Operand,
        _ => null,
    };

    private static string? Name(Expression e) => e switch
    {
        MemberExpression member => member.Member.Name,
        MethodCallExpression { Method.Name: nameof(EF.Property), Arguments: [_, ConstantExpression { Value: string name }] } => name,
        UnaryExpression unary => Name(unary.Operand),
        _ => null,
    };

    private static UnsupportedBulkUpdateException Unknown(Expression setters)
        => new($"The setters of this ExecuteUpdate have a shape that is not known ({setters.NodeType}: {setters}), so the version could not be raised. "
            + "Write them as a lambda, s => s.SetProperty(…, …), or use SaveChanges.");
}
