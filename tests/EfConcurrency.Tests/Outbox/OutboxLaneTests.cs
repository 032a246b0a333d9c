using EfConcurrency.Outbox;

namespace EfConcurrency.Tests.Outbox;

/// <summary>Processes of different versions write to one outbox: a key's lane never changes.</summary>
public sealed class OutboxLaneTests
{
    /// <summary>
    /// Reckoned by hand from the published vectors of FNV-1a: the empty text has cbf29ce484222325, "a" af63dc4c8601ec8c, "foobar" 85944171f73967e8.
    /// </summary>
    [Theory]
    [InlineData("", 0xcbf29ce4u ^ 0x84222325u)]
    [InlineData("a", 0xaf63dc4cu ^ 0x8601ec8cu)]
    [InlineData("foobar", 0x85944171u ^ 0xf73967e8u)]
    public void The_lane_of_a_key_is_as_documented(string key, uint folded)
    {
        foreach (var lanes in (int[])[1, 7, 16, 256])
        {
            Assert.Equal((short)(folded % (uint)lanes), OutboxLane.Of(key, lanes));
        }
    }

    [Fact]
    public void Keys_are_spread_evenly()
    {
        var counts = new int[16];
        for (var i = 0; i < 16_000; i++)
        {
            counts[OutboxLane.Of($"order-{i}", 16)]++;
        }

        Assert.All(counts, c => Assert.InRange(c, 850, 1150));
    }
}
