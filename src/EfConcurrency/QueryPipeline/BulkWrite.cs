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

    private static readonly MethodInfo All = new Func<IEnumerable<string>, Func<string, bool>, bool>(Enumerable.All).Method;

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

    /// <summary>
    /// Adds a call of a database function that comes before the first row is written and raises when it refuses the statement; it is called
    /// once for each argument, and not at all when there is none.
    /// </summary>
    /// <param name="schema">Schema of the function; it takes a text and returns true.</param>
    /// <param name="function">Its name.</param>
    /// <param name="arguments">The arguments, computed anew for each execution.</param>
    public void AddGuard(string schema, string function, Expression<Func<QueryContext, object>> arguments)
    {
        // Refers to no row, so that PostgreSQL evaluates it before it looks for one (a "one-time filter" of the plan).
        var all = RuntimeParameter("efc_guard", arguments, typeof(string[]));
        var argument = Expression.Parameter(typeof(string), "argument");
        var call = Expression.Call(GuardCall.Method, Expression.Constant(schema), Expression.Constant(function), argument);
        AddCondition(_ => Expression.Call(All, all, Expression.Lambda<Func<string, bool>>(call, argument)));
    }

    /// <summary>A property that the user's setters write and that is in another table than <paramref name="column"/>, or null.</summary>
    public IProperty? AssignedElsewhere(IProperty column)
    {
        var tables = EntityType.GetTableMappings().Select(m => m.Table).ToList();
        return tables.Count < 2 ? null : Assigned.FirstOrDefault(p => !tables.Exists(t => t.FindColumn(p) is not null && t.FindColumn(column) is not null));
    }

    /// <summary>A value that is computed anew for each execution of the cached query.</summary>
    public Expression RuntimeParameter(string name, Expression<Func<QueryContext, object>> value, Type type)
        => compilation.RegisterRuntimeParameter(
            name,
            Expression.Lambda(Expression.Convert(new ReplacingExpressionVisitor(value.Parameters, [QueryCompilationContext.QueryContextParameter]).Visit(value.Body), type), QueryCompilationContext.QueryContextParameter));

    /// <summary>The property of the entity, shadow properties included.</summary>
    public static Expression Property(Expression entity, IReadOnlyProperty property)
        => Expression.Call(EfProperty.MakeGenericMethod(property.ClrType), entity, Expression.Constant(property.Name));
}
