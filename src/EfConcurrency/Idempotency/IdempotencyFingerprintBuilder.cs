using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace EfConcurrency.Idempotency;

/// <summary>Computes a fingerprint over parts: the length of each (8 octets, big-endian), then the part.</summary>
public sealed class IdempotencyFingerprintBuilder : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Adds a part.</summary>
    /// <param name="part">The octets.</param>
    /// <returns>This builder.</returns>
    public IdempotencyFingerprintBuilder Add(ReadOnlySpan<byte> part)
    {
        AddLength(part.Length);
        _hash.AppendData(part);
        return this;
    }

    /// <summary>Adds a part: text in UTF-8. Null is another part than the empty text.</summary>
    /// <param name="part">The text.</param>
    /// <returns>This builder.</returns>
    public IdempotencyFingerprintBuilder Add(string? part)
    {
        if (part is null)
        {
            AddLength(-1);
            return this;
        }

        return Add(Encoding.UTF8.GetBytes(part));
    }

    /// <summary>The fingerprint of all parts; the builder is then empty again.</summary>
    /// <param name="version">Names the way in which the parts were chosen.</param>
    /// <returns>The fingerprint.</returns>
    public IdempotencyFingerprint Build(short version = IdempotencyFingerprint.CurrentVersion) => new(_hash.GetHashAndReset(), version);

    /// <summary>Gives the hash back.</summary>
    public void Dispose() => _hash.Dispose();

    private void AddLength(long length)
    {
        Span<byte> octets = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(octets, length);
        _hash.AppendData(octets);
    }
}
