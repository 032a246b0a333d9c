using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>Reads <c>If-Match</c> and <c>If-None-Match</c>: <c>*</c>, or a list of entity tags. RFC 9110, sections 13.1.1 and 13.1.2.</summary>
internal static class ConditionalHeader
{
    /// <summary>The tags of the header; null when the request has none.</summary>
    /// <exception cref="MalformedHeaderException">The header is neither.</exception>
    public static IReadOnlyList<EntityTagHeaderValue>? Read(HttpRequest request, string name)
    {
        var values = request.Headers[name];
        if (StringValues.IsNullOrEmpty(values))
        {
            return values.Count == 0 ? null : throw Malformed(name);
        }

        if (!EntityTagHeaderValue.TryParseStrictList(values, out var tags) || tags.Count == 0 || (tags.Count > 1 && tags.Any(IsAny)))
        {
            throw Malformed(name);
        }

        return tags.AsReadOnly();
    }

    public static bool IsAny(EntityTagHeaderValue tag) => tag.Tag == "*";

    private static MalformedHeaderException Malformed(string name)
        => new(name, $"{name} is '*' or a list of entity tags in double quotes, such as \"v7\".");
}
