using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.Tests.AdvisoryLocks;

/// <summary>A name comes from the program, or from its users: it must not leave the comment.</summary>
public sealed class AdvisoryLockCommentTests
{
    [Theory]
    [InlineData("invoice:42", "invoice:42")]
    [InlineData("a */ drop table t; /* b", "a _/ drop table t; /_ b")]
    [InlineData("/*/*", "/_/_")]
    [InlineData("line\r\nbreak\u2028", "line__break_")]
    [InlineData("Zürich 🚲", "Zürich 🚲")]
    public void A_name_stays_in_its_comment_and_can_be_read_back(string name, string shown)
    {
        var key = AdvisoryKey.Of(name);
        var sql = AdvisoryLocksSql.Take(LockPlace.OwnTransaction, AdvisoryLockMode.Exclusive, KeyShape.Number, AdvisoryLockComment.Of(key));

        Assert.StartsWith($"/* efconcurrency advisory-locks.take */ /* {key.Number} = {shown} */ select", sql, StringComparison.Ordinal);
        Assert.Equal([(key.Number, shown)], AdvisoryLockComment.Read(sql));
    }

    [Fact]
    public void A_long_name_is_cut_between_characters()
    {
        var (_, shown) = Assert.Single(AdvisoryLockComment.Read("/* efconcurrency advisory-locks.take */ " + AdvisoryLockComment.Of(AdvisoryKey.Of(new string('x', 79) + "🚲🚲"))));
        Assert.Equal(new string('x', 79) + "…", shown);
    }

    [Fact]
    public void Numbers_have_no_comment() => Assert.Empty(AdvisoryLockComment.Of(AdvisoryKeySet.Of(1, (2, 3))));

    [Fact]
    public void Statements_of_others_are_not_read() => Assert.Empty(AdvisoryLockComment.Read("select '/* 1 = x */'"));
}
