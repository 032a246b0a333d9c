using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EfConcurrency.Idempotency;

/// <summary>
/// What a request looks like: a SHA-256. A key that comes again with another fingerprint was reused by mistake, and is refused. Fingerprints
/// of different versions can't be compared; such a request counts as the same.
/// </summary>
public sealed class IdempotencyFingerprint
{
    /// <summary>The way in which this release computes fingerprints.</summary>
    public const short CurrentVersion = 1;

    internal IdempotencyFingerprint(byte[] hash, short version)
    {
        HashBytes = hash;
        Version = version;
    }

    /// <summary>The way in which it was computed. Raise it when your own way changes, so that requests in flight are not refused.</summary>
    public short Version { get; }

    /// <summary>The 32 octets.</summary>
    public ReadOnlyMemory<byte> Hash => HashBytes;

    internal byte[] HashBytes { get; }

    /// <summary>The fingerprint of a typed request: its JSON, as <paramref name="options"/> write it.</summary>
    /// <typeparam name="TRequest">Type of the request; its name is not part of the fingerprint.</typeparam>
    /// <param name="request">The request. What may differ between two repetitions of it (a time, a trace id) must not be in it.</param>
    /// <param name="options">How it is written; default: <see cref="JsonSerializerOptions.Default"/>.</param>
    /// <returns>The fingerprint.</returns>
    public static IdempotencyFingerprint Of<TRequest>(TRequest request, JsonSerializerOptions? options = null)
        => request as IdempotencyFingerprint ?? OfJson(JsonSerializer.SerializeToUtf8Bytes(request, options ?? JsonSerializerOptions.Default));

    /// <inheritdoc cref="Of{TRequest}(TRequest, JsonSerializerOptions?)"/>
    /// <param name="request">The request.</param>
    /// <param name="typeInfo">How it is written: for trimmed and ahead-of-time compiled programs.</param>
    public static IdempotencyFingerprint Of<TRequest>(TRequest request, JsonTypeInfo<TRequest> typeInfo)
        => OfJson(JsonSerializer.SerializeToUtf8Bytes(request, typeInfo));

    /// <summary>A fingerprint over parts, each with its length before it, so that "ab","c" and "a","bc" differ.</summary>
    /// <param name="parts">The parts, in order.</param>
    /// <returns>The fingerprint.</returns>
    public static IdempotencyFingerprint OfParts(params ReadOnlySpan<byte[]> parts)
    {
        using var builder = new IdempotencyFingerprintBuilder();
        foreach (var part in parts)
        {
            builder.Add(part);
        }

        return builder.Build();
    }

    /// <summary>A fingerprint that was computed elsewhere.</summary>
    /// <param name="hash">32 octets.</param>
    /// <param name="version">Names the way in which it was computed.</param>
    /// <returns>The fingerprint.</returns>
    /// <exception cref="ArgumentException"><paramref name="hash"/> has not 32 octets.</exception>
    public static IdempotencyFingerprint FromHash(ReadOnlySpan<byte> hash, short version = CurrentVersion)
        => hash.Length == 32
            ? new(hash.ToArray(), version)
            : throw new ArgumentException($"A fingerprint has 32 octets (SHA-256), this one {hash.Length}.", nameof(hash));

    private static IdempotencyFingerprint OfJson(byte[] json) => OfParts("json"u8.ToArray(), json);
}
