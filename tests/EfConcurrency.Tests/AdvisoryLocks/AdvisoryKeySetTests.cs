using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.Tests.AdvisoryLocks;

public sealed class AdvisoryKeySetTests
{
    [Fact]
    public void Keys_are_sorted_and_named_once()
    {
        AdvisoryKeySet set = [(1, 2), 7, -3, (1, 2), 7, (0, 5)];
        Assert.Equal([-3, 7, (0, 5), (1, 2)], set);
    }

    [Fact]
    public void A_set_of_no_key_is_refused() => Assert.Throws<ArgumentException>(() => AdvisoryKeySet.Of());

    [Fact]
    public void Two_names_with_one_number_are_refused()
    {
        AdvisoryKey first = new(7, isPair: false, "a", ""), second = new(7, isPair: false, "a", "other");
        var error = Assert.Throws<AdvisoryKeyCollisionException>(() => AdvisoryKeySet.Of(first, second));
        Assert.Same(first, error.First);
        Assert.Same(second, error.Second);
        Assert.Contains("'other/a'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_and_its_number_are_one_key_which_keeps_the_name()
    {
        var named = AdvisoryKey.Of("a");
        Assert.Equal("a", Assert.Single(AdvisoryKeySet.Of(named.Number, named)).Name);
        Assert.Equal("a", Assert.Single(AdvisoryKeySet.Of(named, named.Number)).Name);
    }

    [Fact]
    public void A_message_shows_the_first_few()
        => Assert.Equal("1, 2, 3, 4, 5 and 2 more", AdvisoryKeySet.Of(1, 2, 3, 4, 5, 6, 7).ToString());
}
