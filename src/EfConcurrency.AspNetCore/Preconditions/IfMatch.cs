using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Net.Http.Headers;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>
/// The <c>If-Match</c> header of the request: the client wants to change the version it has read, and no other. Take it as a parameter of
/// the handler or action, and give it to <c>db.Expect(entity, ifMatch)</c>. RFC 9110, section 13.1.1.
/// </summary>
[ModelBinder(typeof(PreconditionModelBinder))]
public sealed class IfMatch : IBindableFromHttpContext<IfMatch>
{
    private IfMatch(IReadOnlyList<EntityTagHeaderValue>? tags)
    {
        Tags = tags ?? [];
        IsAny = Tags.Count == 1 && ConditionalHeader.IsAny(Tags[0]);
    }

    /// <summary>Whether the request has the header. Without it there is no precondition; <c>RequireIfMatch()</c> refuses such requests.</summary>
    public bool IsPresent => Tags.Count > 0;

    /// <summary>Whether it is <c>*</c>: any version, as long as there is one.</summary>
    public bool IsAny { get; }

    /// <summary>The tags of the header.</summary>
    public IReadOnlyList<EntityTagHeaderValue> Tags { get; }

    /// <summary>Whether the program has compared the header with something. A precondition that nobody checks is a lost update.</summary>
    internal bool IsChecked { get; private set; }

    /// <summary>The header of the request.</summary>
    /// <param name="context">The request.</param>
    /// <returns>The header, also when it is missing: see <see cref="IsPresent"/>.</returns>
    /// <exception cref="MalformedHeaderException">The header is neither <c>*</c> nor a list of entity tags.</exception>
    public static IfMatch Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Features.Get<IfMatch>() is { } known)
        {
            return known;
        }

        var read = new IfMatch(ConditionalHeader.Read(context.Request, HeaderNames.IfMatch));
        context.Features.Set(read);
        return read;
    }

    /// <inheritdoc/>
    public static ValueTask<IfMatch?> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult<IfMatch?>(Of(context));

    /// <summary>
    /// Whether the precondition holds for a resource that exists and has this version. Compares strongly: a weak tag (<c>W/"…"</c>) never
    /// matches. True when there is no precondition.
    /// </summary>
    /// <param name="version">A number or a Guid, as from a version column; or the text of a tag.</param>
    /// <returns>Whether the request may go on.</returns>
    /// <exception cref="InvalidOperationException"><paramref name="version"/> can't be a version.</exception>
    public bool Matches(object version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return MatchesTag(VersionTag.Of(version));
    }

    internal bool MatchesTag(EntityTagHeaderValue current)
    {
        IsChecked = true;
        return !IsPresent || IsAny || Tags.Any(t => t.Compare(current, useStrongComparison: true));
    }

    /// <summary>The versions that the tags stand for; tags that can't be any are left out, because they match nothing.</summary>
    internal List<object> Versions(IProperty property)
    {
        IsChecked = true;
        return [.. Tags.Select(t => VersionTag.Parse(property, t)).OfType<object>()];
    }
}
