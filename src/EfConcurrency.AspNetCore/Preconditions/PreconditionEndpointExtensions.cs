using EfConcurrency.AspNetCore.Preconditions;
using Microsoft.AspNetCore.Http;

namespace Microsoft.AspNetCore.Builder;

/// <summary>ETag and If-Match for minimal APIs: an endpoint, or a group.</summary>
public static class PreconditionEndpointExtensions
{
    /// <summary>
    /// Gives responses the version of the entity that the handler returns as a strong tag, <c>ETag: "v7"</c>, after a write the new one; answers
    /// <c>If-None-Match</c> on GET with 304, and a precondition that fails with 412. The version column is found in the model of a registered context.
    /// </summary>
    /// <typeparam name="TBuilder">An endpoint or a group.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static TBuilder WithETag<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
        => Add(builder, new EntityTagFilter(new()), ETagDescription.Instance);

    /// <summary>Like <c>WithETag()</c>, with the version taken from what the handler returns: for DTOs, and for tags of several rows.</summary>
    /// <typeparam name="TBuilder">An endpoint or a group.</typeparam>
    /// <typeparam name="TValue">What the handler returns; other values get no tag.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="version">The version: a number, a Guid, or the text of the tag; null for none.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static TBuilder WithETag<TBuilder, TValue>(this TBuilder builder, Func<TValue, object?> version)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(version);
        return Add(builder, new EntityTagFilter(new(value => value is TValue known ? version(known) : null)), ETagDescription.Instance);
    }

    /// <summary>
    /// Refuses requests without <c>If-Match</c> (428) and with a malformed one (400); a precondition that fails becomes 412 with the current tag.
    /// The handler takes an <see cref="IfMatch"/> parameter and calls <c>db.Expect(entity, ifMatch)</c>; one that succeeds without having compared is an error.
    /// </summary>
    /// <typeparam name="TBuilder">An endpoint or a group.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="allowCreate">Whether <c>If-None-Match: *</c> will do too: for PUT that creates or replaces.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static TBuilder RequireIfMatch<TBuilder>(this TBuilder builder, bool allowCreate = false)
        where TBuilder : IEndpointConventionBuilder
        => Add(builder, new RequireIfMatchFilter(allowCreate), new IfMatchDescription(allowCreate));

    private static TBuilder Add<TBuilder>(TBuilder builder, IEndpointFilter filter, object metadata)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddEndpointFilter(filter).WithMetadata(metadata);
    }
}
