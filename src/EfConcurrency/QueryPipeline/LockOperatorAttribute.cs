using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// A query operator that locks the rows it is applied to. It puts itself into the tree, so that compiled queries (which never call
/// it) are translated as others are.
/// </summary>
/// <param name="strength">One of the clauses of <see cref="LockClauseSql"/>.</param>
/// <param name="kind">How an operator without an argument waits.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LockOperatorAttribute(string strength, LockWaitKind kind = LockWaitKind.Wait) : Attribute
{
    /// <summary>
    /// Adds an operator without an argument. EF asks for the attributes of a constant argument's parameter each time the query runs, which costs more than all the rest of
    /// the operator.
    /// </summary>
    public static IQueryable<T> Add<T>(IQueryable<T> source, MethodInfo method)
        => source.Provider is IAsyncQueryProvider
            ? source.Provider.CreateQuery<T>(Expression.Call(instance: null, Closed<T>.Of(method), source.Expression))
            : source;

    /// <summary>Adds the operator to a query of EF; any other sequence has no rows to lock and stays what it is.</summary>
    public static IQueryable<T> Add<T>(IQueryable<T> source, MethodInfo method, ILockWait wait)
        => source.Provider is IAsyncQueryProvider
            ? source.Provider.CreateQuery<T>(Expression.Call(instance: null, Closed<T>.Of(method), source.Expression, Expression.Constant(wait, wait.GetType())))
            : source;

    /// <summary>The clause that a call in the tree asks for, or null when it is no lock operator.</summary>
    public static LockClause? Read(MethodCallExpression call)
        => call.Method.GetCustomAttribute<LockOperatorAttribute>() is { } lockOperator ? lockOperator.Clause(call) : null;

    private LockClause Clause(MethodCallExpression call) => call.Arguments switch
    {
        [_] => new(strength, new(kind, 0)),
        [_, ConstantExpression { Value: ILockWait wait }] => new(strength, wait.Value),
        _ => throw new UnsupportedRowLockException(
            $"{call.Method.Name}(…) in a compiled query was given its RowLockWait as a parameter, but how to wait is part of the SQL. Compile one query for each way to wait."),
    };

    private static class Closed<T>
    {
        private static readonly ConcurrentDictionary<MethodInfo, MethodInfo> Methods = new();

        public static MethodInfo Of(MethodInfo open) => Methods.GetOrAdd(open, static m => m.MakeGenericMethod(typeof(T)));
    }
}
