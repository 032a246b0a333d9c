using System.Security.Cryptography;
using System.Text.Json.Serialization;
using EfConcurrency.Idempotency;

namespace EfConcurrency.Tests.Idempotency;

public sealed partial class IdempotencyFingerprintTests
{
    [Fact]
    public void Equal_requests_have_equal_fingerprints_and_others_not()
    {
        Assert.Equal(Hash(new Order(1, "a")), Hash(new Order(1, "a")));
        Assert.NotEqual(Hash(new Order(1, "a")), Hash(new Order(2, "a")));
        Assert.Equal(Hash(new Order(1, "a")), IdempotencyFingerprint.Of(new Order(1, "a"), Json.Default.Order).Hash.ToArray());
    }

    /// <summary>A released version never changes: stored fingerprints are compared with it.</summary>
    [Fact]
    public void Version_1_stays_what_it_is()
    {
        var json = "{\"Id\":1,\"Product\":\"a\"}"u8;

        Assert.Equal(1, IdempotencyFingerprint.CurrentVersion);
        Assert.Equal(
            SHA256.HashData([0, 0, 0, 0, 0, 0, 0, 4, .. "json"u8, 0, 0, 0, 0, 0, 0, 0, (byte)json.Length, .. json]),
            Hash(new Order(1, "a")));
    }

    [Fact]
    public void Parts_are_told_apart_and_null_from_empty()
    {
        Assert.NotEqual(Parts("ab", "c"), Parts("a", "bc"));
        Assert.NotEqual(Parts("a", null), Parts("a", ""));
        Assert.NotEqual(Parts("a"), Parts("a", ""));
        Assert.Equal(Parts("ab", "c"), IdempotencyFingerprint.OfParts("ab"u8.ToArray(), "c"u8.ToArray()).Hash.ToArray());
    }

    [Fact]
    public void A_fingerprint_from_elsewhere_has_32_octets()
    {
        Assert.Equal(7, IdempotencyFingerprint.FromHash(new byte[32], 7).Version);
        Assert.Throws<ArgumentException>(() => IdempotencyFingerprint.FromHash(new byte[31]));
    }

    private static byte[] Hash(Order order) => IdempotencyFingerprint.Of(order).Hash.ToArray();

    private static byte[] Parts(params string?[] parts)
    {
        using var builder = new IdempotencyFingerprintBuilder();
        Array.ForEach(parts, p => builder.Add(p));
        return builder.Build().Hash.ToArray();
    }

    public sealed record Order(int Id, string Product);

    [JsonSerializable(typeof(Order))]
    private sealed partial class Json : JsonSerializerContext;
}
