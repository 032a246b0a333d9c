using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>An <c>ExecuteUpdate</c> or <c>ExecuteDelete</c> under way to translation.</summary>
internal sealed class BulkWrite(IEntityType entityType, bool isUpdate, IReadOnlyList<IProperty> assigned, IReadOnlySet<string> markers, QueryCompilationContext compilation)
{
    private static readonly MethodInfo EfProperty = typeof(EF).GetMethod(nameof(EF.Property))!;

    private readonly List<(IProperty Property, Func<Expression, Expression> Value)> _setters = [];
    private readonly List<Func<Expression, Expression>> _conditions = [];

    /// <summary>The entity type whose rows are written.</summary>
    public IEntityType EntityType { get; } = entityType;

    public bool IsUpdate { get; } = isUpdate;

    /// <summary>What the user's own setters write.</summary>
    public IReadOnlyList<IProperty> Assigned { get; } = assigned;

    public IReadOnlyList<(IProperty Property, Func<Expression, Expression> Value)> Setters => _setters;

    public IReadOnlyList<Func<Expression, Expression>> Conditions => _conditions;

    /// <summary>Whether the query carries a marker operator of this name.</summary>
    public bool HasMarker(string operatorName) => markers.Contains(operatorName);

    /// <summary>Adds a setter; <paramref name="value"/> gets the expression of the entity.</summary>
    public void AddSetter(IProperty property, Func<Expression, Expression> value) => _setters.Add((property, value));

    /// <summary>Adds a condition; it gets the expression of the entity.</summary>
    public void AddCondition(Func<Expression, Expression> condition) => _conditions.Add(condition);

    /// <summary>A value that is computed anew for each execution of the cached query.</summary>
    public Expression RuntimeParameter(string name, Expression<Func<QueryContext, object>> value, Type type)
        => compilation.RegisterRuntimeParameter(
            name,
            Expression.Lambda(Expression.Convert(new ReplacingExpressionVisitor(value.Parameters, [QueryCompilationContext.QueryContextParameter]).Visit(value.Body), type), QueryCompilationContext.QueryContextParameter));

    /// <summary>The property of the entity, shadow properties included.</summary>
    public static Expression Property(Expression entity, IReadOnlyProperty property)
        => Expression.Call(EfProperty.MakeGenericMethod(property.ClrType), entity, Expression.Constant(property.Name));
}
