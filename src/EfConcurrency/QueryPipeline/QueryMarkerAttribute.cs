using System.Linq.Expressions;
using System.Reflection;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// Operators that say something about a query and translate to nothing. Each puts itself into the tree, so that it is part of EF's
/// cache key, and is taken out before EF translates.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class QueryMarkerAttribute : Attribute
{
    public static bool Is(MethodInfo method) => method.IsDefined(typeof(QueryMarkerAttribute));

    /// <summary>Calls <paramref name="marker"/> in the tree of <paramref name="source"/>.</summary>
    public static IQueryable<T> Add<T>(IQueryable<T> source, MethodInfo marker)
        => source.Provider.CreateQuery<T>(Expression.Call(instance: null, marker.MakeGenericMethod(typeof(T)), source.Expression));
}
