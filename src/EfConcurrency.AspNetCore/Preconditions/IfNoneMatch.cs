using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>
/// The <c>If-None-Match</c> header of the request. With <c>*</c> a client wants to create a resource, and not to replace one: take it as a
/// parameter, and give it to <c>db.ExpectNone(existing, ifNoneMatch)</c>. On GET, <c>WithETag()</c> answers it with 304. RFC 9110, section 13.1.2.
/// </summary>
[ModelBinder(typeof(PreconditionModelBinder))]
public sealed class IfNoneMatch : IBindableFromHttpContext<IfNoneMatch>
{
    private IfNoneMatch(IReadOnlyList<EntityTagHeaderValue>? tags)
    {
        Tags = tags ?? [];
        IsAny = Tags.Count == 1 && ConditionalHeader.IsAny(Tags[0]);
    }

    /// <summary>Whether the request has the header.</summary>
    public bool IsPresent => Tags.Count > 0;

    /// <summary>Whether it is <c>*</c>: only if there is no such resource yet.</summary>
    public bool IsAny { get; }

    /// <summary>The tags of the header.</summary>
    public IReadOnlyList<EntityTagHeaderValue> Tags { get; }

    /// <summary>The header of the request.</summary>
    /// <param name="context">The request.</param>
    /// <returns>The header, also when it is missing: see <see cref="IsPresent"/>.</returns>
    /// <exception cref="MalformedHeaderException">The header is neither <c>*</c> nor a list of entity tags.</exception>
    public static IfNoneMatch Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(ConditionalHeader.Read(context.Request, HeaderNames.IfNoneMatch));
    }

    /// <inheritdoc/>
    public static ValueTask<IfNoneMatch?> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult<IfNoneMatch?>(Of(context));

    /// <summary>Whether the client has this version already; compares weakly, as the standard asks for reads.</summary>
    internal bool Has(EntityTagHeaderValue current) => IsAny || Tags.Any(t => t.Compare(current, useStrongComparison: false));
}
