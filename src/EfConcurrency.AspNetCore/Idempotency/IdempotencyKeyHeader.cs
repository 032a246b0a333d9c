using System.Text;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// Reads <c>Idempotency-Key</c>: a string of RFC 8941, in double quotes, as the draft says, or bare, as most clients send it. Both forms of the
/// same characters are the same key. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/07/ section 2.1
/// </summary>
internal static class IdempotencyKeyHeader
{
    public const string Name = "Idempotency-Key";

    public const string Replayed = "Idempotency-Replayed";

    /// <summary>The key; null when the request has none.</summary>
    /// <exception cref="IdempotencyKeyHeaderException">The header is given twice, or is no key.</exception>
    public static string? Read(HttpRequest request, int minLength)
    {
        var values = request.Headers[Name];
        if (values.Count == 0)
        {
            return null;
        }

        if (values.Count > 1)
        {
            throw Invalid("is given more than once. Send one.");
        }

        var text = values[0]!;
        var key = text is ['"', ..] ? Unquote(text) : Bare(text);
        return key.Length < minLength
            ? throw Invalid(key.Length == 0 ? "is empty. Send a new random key, such as a UUID, with each new operation." : $"has fewer than {minLength} characters. Use a random key, such as a UUID.")
            : key.Length > IdempotencyKey.MaxKeyOctets
                ? throw Invalid($"has more than {IdempotencyKey.MaxKeyOctets} characters. Use a shorter key; a UUID has 36.")
                : key;
    }

    /// <summary><c>sf-string</c>: printable ASCII, with <c>\"</c> and <c>\\</c>. Parameters behind it are not defined, and refused.</summary>
    private static string Unquote(string text)
    {
        if (text.Length < 2 || text[^1] != '"')
        {
            throw WronglyQuoted();
        }

        var key = new StringBuilder(text.Length);
        for (var i = 1; i < text.Length - 1; i++)
        {
            var c = text[i];
            if (c == '\\')
            {
                // The escaped character must not be the closing quote.
                i++;
                c = i < text.Length - 1 && text[i] is '"' or '\\' ? text[i] : throw WronglyQuoted();
            }
            else if (c == '"')
            {
                throw WronglyQuoted();
            }

            key.Append(c is >= ' ' and <= '~' ? c : throw NotPrintable());
        }

        return key.ToString();
    }

    /// <summary>No comma: a proxy may have joined two headers with it. No semicolon, space, quote or backslash: then it was meant to be quoted.</summary>
    private static string Bare(string text)
    {
        foreach (var c in text)
        {
            if (c is < '!' or > '~' && c != ' ')
            {
                throw NotPrintable();
            }

            if (c is ' ' or ',' or ';' or '"' or '\\')
            {
                throw WronglyQuoted();
            }
        }

        return text;
    }

    private static IdempotencyKeyHeaderException WronglyQuoted() => Invalid("is not quoted as it should be. Send Idempotency-Key: \"…\", with \\\" and \\\\ inside, or a UUID without quotes.");

    private static IdempotencyKeyHeaderException NotPrintable() => Invalid("holds characters that are not printable ASCII. Use a UUID.");

    private static IdempotencyKeyHeaderException Invalid(string what) => new(isMissing: false, $"{Name} {what}");
}
