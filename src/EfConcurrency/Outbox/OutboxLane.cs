using System.Text;

namespace EfConcurrency.Outbox;

/// <summary>
/// Which lane a message takes. With a key: FNV-1a (64 bits) of its UTF-8 octets, upper half xor lower half, modulo the number of lanes. Part of the contract
/// between the processes that write to one outbox: never change it. http://www.isthe.com/chongo/tech/comp/fnv/
/// </summary>
internal static class OutboxLane
{
    /// <summary>Longest key in octets of UTF-8.</summary>
    public const int MaxKeyBytes = 200;

    private const ulong OffsetBasis = 14695981039346656037;

    private const ulong Prime = 1099511628211;

    /// <summary>The lane of a key of at most <see cref="MaxKeyBytes"/> octets.</summary>
    public static short Of(string key, int lanes)
    {
        Span<byte> utf8 = stackalloc byte[MaxKeyBytes];
        var hash = OffsetBasis;
        foreach (var octet in utf8[..Encoding.UTF8.GetBytes(key, utf8)])
        {
            hash = (hash ^ octet) * Prime;
        }

        return (short)((uint)(hash ^ (hash >> 32)) % (uint)lanes);
    }

    /// <summary>A lane for a message without a key.</summary>
    public static short Any(int lanes) => (short)Random.Shared.Next(lanes);
}
