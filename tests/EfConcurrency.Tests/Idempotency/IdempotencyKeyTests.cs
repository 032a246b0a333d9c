using EfConcurrency.Idempotency;

namespace EfConcurrency.Tests.Idempotency;

public sealed class IdempotencyKeyTests
{
    [Theory]
    [InlineData("", "k", IdempotencyKeyProblem.Empty, "scope")]
    [InlineData("s", "", IdempotencyKeyProblem.Empty, "key")]
    [InlineData("s", "a\nb", IdempotencyKeyProblem.ControlCharacter, "key")]
    [InlineData("s\0", "k", IdempotencyKeyProblem.ControlCharacter, "scope")]
    [InlineData("s", "a\u0085b", IdempotencyKeyProblem.ControlCharacter, "key")]
    [InlineData("s", "a\u001fb", IdempotencyKeyProblem.ControlCharacter, "key")]
    public void A_key_that_can_not_be_used_is_refused_and_the_message_says_why(string scope, string key, IdempotencyKeyProblem problem, string part)
    {
        var refused = Assert.Throws<InvalidIdempotencyKeyException>(() => new IdempotencyKey(scope, key));

        Assert.Equal((problem, part), (refused.Problem, refused.ParamName));
    }

    [Theory]
    [InlineData('\ud800')]
    [InlineData('\udc00')]
    public void Half_a_character_is_refused(char half)
        => Assert.Equal(IdempotencyKeyProblem.BrokenText, Assert.Throws<InvalidIdempotencyKeyException>(() => new IdempotencyKey("s", $"a{half}b")).Problem);

    [Fact]
    public void Length_counts_in_octets()
    {
        Assert.Equal(IdempotencyKeyProblem.TooLong, Assert.Throws<InvalidIdempotencyKeyException>(() => new IdempotencyKey("s", new('x', 256))).Problem);
        Assert.Equal(IdempotencyKeyProblem.TooLong, Assert.Throws<InvalidIdempotencyKeyException>(() => new IdempotencyKey(new('x', 201), "k")).Problem);
        Assert.Equal(IdempotencyKeyProblem.TooLong, Assert.Throws<InvalidIdempotencyKeyException>(() => new IdempotencyKey("s", new('ä', 128))).Problem);
        _ = new IdempotencyKey(new('x', 200), new('x', 255));
        _ = new IdempotencyKey("s", string.Concat(Enumerable.Repeat("😀", 63)));
    }

    [Fact]
    public void Neither_text_nor_hash_tell_the_key()
    {
        var key = new IdempotencyKey("tenant 7", "secret-123");

        Assert.DoesNotContain("secret", key.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("tenant", key.ToString(), StringComparison.Ordinal);
        Assert.Matches("^#[0-9a-f]{16}$", key.ToString());
    }

    [Fact]
    public void Scope_and_key_are_told_apart()
    {
        Assert.NotEqual(new IdempotencyKey("ab", "c"), new IdempotencyKey("a", "bc"));
        Assert.NotEqual(new IdempotencyKey("ab", "c").Hash, new IdempotencyKey("a", "bc").Hash);
        Assert.Equal(new IdempotencyKey("a", "b"), new IdempotencyKey("a", "b"));
    }

    [Fact]
    public void A_downstream_key_is_a_UUID_of_scope_key_and_step()
    {
        var key = new IdempotencyKey("s", "k");

        Assert.Equal(8, Guid.Parse(key.ForStep("charge")).Version);
        Assert.Equal(key.ForStep("charge"), new IdempotencyKey("s", "k").ForStep("charge"));
        Assert.Equal(4, new[] { key.ForStep("charge"), key.ForStep("refund"), new IdempotencyKey("s2", "k").ForStep("charge"), new IdempotencyKey("s", "k2").ForStep("charge") }.Distinct().Count());
        Assert.Throws<ArgumentException>(() => key.ForStep(" "));
    }
}
