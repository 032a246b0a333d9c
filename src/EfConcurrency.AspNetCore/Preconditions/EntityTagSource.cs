using System.Collections;
using System.Collections.Concurrent;
using EfConcurrency.Versioning;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>
/// Finds the tag of what an endpoint returns: by the program's selector, or by the version column that a registered context knows for the type.
/// One an endpoint, so that what was found is found once.
/// </summary>
internal sealed class EntityTagSource(Func<object, object?>? selector = null)
{
    private readonly ConcurrentDictionary<Type, VersionOf?> _versions = new();

    private delegate object? VersionOf(HttpContext context, object value);

    /// <summary>The tag; null for what has none: nothing, a text, a list.</summary>
    /// <exception cref="InvalidOperationException">The value is no entity with a version, and there is no selector for it.</exception>
    public EntityTagHeaderValue? TagOf(HttpContext context, object? value)
    {
        if (value is null)
        {
            return null;
        }

        if (selector is not null)
        {
            return selector(value) is { } selected ? VersionTag.Of(selected) : null;
        }

        var version = _versions.GetOrAdd(value.GetType(), static (type, c) => Find(type, c), context);
        return version?.Invoke(context, value) is { } found ? VersionTag.Of(found) : null;
    }

    private static VersionOf? Find(Type type, HttpContext context)
    {
        if (type.IsPrimitive || typeof(IEnumerable).IsAssignableFrom(type))
        {
            return null;
        }

        foreach (var contextType in context.RequestServices.GetServices<DbContextOptions>().Select(o => o.ContextType).Distinct())
        {
            if (context.RequestServices.GetService(contextType) is DbContext db && db.Model.FindRuntimeEntityType(type)?.FindVersionProperty() is { } property)
            {
                return property.IsShadowProperty()
                    ? (request, value) => OfTracked(request, contextType, property, value)
                    : (_, value) => property.GetGetter().GetClrValue(value) is { } version ? VersionTag.Of(property, version) : null;
            }
        }

        return typeof(IVersioned).IsAssignableFrom(type)
            ? (_, value) => ((IVersioned)value).Version
            : throw new InvalidOperationException(
                $"WithETag() found no version of '{type.Name}': it is no entity with a version column of a registered context. Pass a selector, such as .WithETag(({type.Name} x) => x.Version), or let it implement IVersioned.");
    }

    private static EntityTagHeaderValue? OfTracked(HttpContext context, Type contextType, IProperty property, object value)
    {
        var entry = ((DbContext)context.RequestServices.GetRequiredService(contextType)).Entry(value);
        return entry.State == EntityState.Detached
            ? throw new InvalidOperationException(
                $"The version of '{entry.Metadata.DisplayName()}' is a shadow property, which only a tracked entity has. Return one that '{contextType.Name}' tracks, or pass a selector to WithETag(…).")
            : entry.Property(property.Name).CurrentValue is { } version ? VersionTag.Of(property, version) : null;
    }
}
