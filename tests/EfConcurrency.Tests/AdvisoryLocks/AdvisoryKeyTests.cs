using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.Tests.AdvisoryLocks;

public sealed class AdvisoryKeyTests
{
    [Theory]
    [InlineData("order:42", "ns", -3388262267323816499)]
    [InlineData("order:42", "", 8453716772071477868)]
    public void A_names_number_never_changes(string name, string @namespace, long number)
        => Assert.Equal(number, AdvisoryKey.Of(name, @namespace).Number);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\0b")]
    public void A_name_that_PostgreSQL_could_not_hold_or_nobody_meant_is_refused(string name)
    {
        var error = Assert.Throws<ArgumentException>(() => AdvisoryKey.Of(name));
        Assert.Equal("name", error.ParamName);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_no_text() => Assert.Throws<ArgumentException>(() => AdvisoryKey.Of(new string('\ud83d', 1)));

    [Fact]
    public void Namespace_and_name_do_not_run_into_each_other()
    {
        Assert.NotEqual(AdvisoryKey.Of("b", "a"), AdvisoryKey.Of("ab"));
        Assert.NotEqual(AdvisoryKey.Of("b", "a"), AdvisoryKey.Of("a", "b"));
        Assert.Throws<ArgumentException>(() => AdvisoryKey.Of("c", "a\u001fb"));
    }

    [Fact]
    public void A_pair_is_no_number()
    {
        Assert.Equal((1L << 32) | 0xffffffff, AdvisoryKey.Of(1, -1).Number);
        Assert.NotEqual(AdvisoryKey.Of((1L << 32) | 0xffffffff), AdvisoryKey.Of(1, -1));
        Assert.True(AdvisoryKey.Of(1, 2) == (1, 2));
        Assert.True(AdvisoryKey.Of(1, 2) != (2, 1));
    }

    [Fact]
    public void A_key_reads_as_it_was_given()
    {
        Assert.Equal("42", AdvisoryKey.Of(42).ToString());
        Assert.Equal("(1, -2)", AdvisoryKey.Of(1, -2).ToString());
        Assert.StartsWith("'shop/order:42' (", AdvisoryKey.Of("order:42", "shop").ToString(), StringComparison.Ordinal);
    }
}
