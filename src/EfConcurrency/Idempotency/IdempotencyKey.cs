using System.Security.Cryptography;
using System.Text;

namespace EfConcurrency.Idempotency;

/// <summary>
/// Names one operation, so that it takes effect once however often it is asked for. Two keys are the same when scope and key are the same,
/// octet by octet.
/// </summary>
public sealed record IdempotencyKey
{
    /// <summary>Most octets of a scope, in UTF-8.</summary>
    public const int MaxScopeOctets = 200;

    /// <summary>Most octets of a key, in UTF-8.</summary>
    public const int MaxKeyOctets = 255;

    /// <summary>Creates the name of an operation.</summary>
    /// <param name="scope">Whose key it is, and for what: application, tenant, principal, operation; at most 200 octets. Never a secret such as a bearer token.</param>
    /// <param name="key">What the caller chose; 1 to 255 octets.</param>
    /// <exception cref="InvalidIdempotencyKeyException">One of the two is empty, too long, or holds a control character.</exception>
    public IdempotencyKey(string scope, string key)
    {
        ArgumentNullException.ThrowIfNull(scope);
        ArgumentNullException.ThrowIfNull(key);
        Check(scope, nameof(scope), MaxScopeOctets);
        Check(key, nameof(key), MaxKeyOctets);
        Scope = scope;
        Key = key;
    }

    /// <summary>Whose key it is.</summary>
    public string Scope { get; }

    /// <summary>What the caller chose.</summary>
    public string Key { get; }

    /// <summary>Stands for the key in logs and messages: the first 64 bits of a SHA-256 over scope and key, in hexadecimal digits.</summary>
    public string Hash => field ??= Convert.ToHexStringLower(SHA256.HashData(AssociatedData())[..8]);

    /// <summary>The <see cref="Hash"/>: what a caller chose does not belong into logs.</summary>
    /// <returns>For messages.</returns>
    public override string ToString() => $"#{Hash}";

    /// <summary>A key for one step of the operation at another system: the same at each repetition, whoever repeats it.</summary>
    /// <param name="step">Name of the step.</param>
    /// <returns>A UUID (version 8, from a SHA-256), as text.</returns>
    /// <exception cref="ArgumentException">The step has no name.</exception>
    public string ForStep(string step)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(step);
        var hash = SHA256.HashData([.. AssociatedData(), 0x1f, .. Encoding.UTF8.GetBytes(step)]).AsSpan(0, 16);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new Guid(hash, bigEndian: true).ToString();
    }

    /// <summary>Scope and key as octets; unambiguous, because neither holds U+001F. What a protected body is bound to.</summary>
    internal byte[] AssociatedData() => Encoding.UTF8.GetBytes($"{Scope}\u001f{Key}");

    private static void Check(string text, string part, int limit)
    {
        IdempotencyKeyProblem? problem =
            text.Length == 0 ? IdempotencyKeyProblem.Empty
            : text.Length > limit || Encoding.UTF8.GetByteCount(text) > limit ? IdempotencyKeyProblem.TooLong
            : text.Any(char.IsControl) ? IdempotencyKeyProblem.ControlCharacter
            : HasLoneSurrogate(text) ? IdempotencyKeyProblem.BrokenText
            : null;
        if (problem is { } found)
        {
            throw new InvalidIdempotencyKeyException(found, part, limit);
        }
    }

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return true;
            }
        }

        return false;
    }
}
