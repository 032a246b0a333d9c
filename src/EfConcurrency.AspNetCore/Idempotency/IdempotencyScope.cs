using System.Security.Cryptography;
using System.Text;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>The scope of a key: who, and what. <c>issuer~user|POST /accounts/{id}/withdraw</c></summary>
internal static class IdempotencyScope
{
    private const string Anonymous = "anonymous";

    private const int MaxPart = (IdempotencyKey.MaxScopeOctets - 1) / 2;

    /// <exception cref="IdempotencyScopeException">The caller has no identity, and anonymous callers are not served.</exception>
    public static string Of(HttpContext context, IdempotentHttpOptions options)
    {
        var caller = options.Scope?.Invoke(context);
        if (string.IsNullOrEmpty(caller))
        {
            return options.AllowAnonymous
                ? $"{Anonymous}|{Part(Operation(context))}"
                : throw new IdempotencyScopeException(
                    $"The caller of '{context.GetEndpoint()?.DisplayName}' has no identity, so it can't be said whose idempotency key it is. Nothing was done. Require authorization, or set o.AllowAnonymous.");
        }

        // Marked, so that nobody can call himself what the anonymous are called.
        return $"{Part("~" + caller)}|{Part(Operation(context))}";
    }

    /// <summary>Method and template, not the path: the values are part of the fingerprint.</summary>
    public static string Operation(HttpContext context)
        => $"{context.Request.Method} {(context.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route } ? "/" + route.TrimStart('/') : context.Request.Path.Value)}";

    /// <summary>Unambiguous, without control characters, and short enough; a long one becomes its hash.</summary>
    private static string Part(string text)
    {
        var escaped = text.Replace("%", "%25", StringComparison.Ordinal).Replace("|", "%7C", StringComparison.Ordinal);
        return Encoding.UTF8.GetByteCount(escaped) <= MaxPart && !escaped.Any(char.IsControl)
            ? escaped
            : "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
