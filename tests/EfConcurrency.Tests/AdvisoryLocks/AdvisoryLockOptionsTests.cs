using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.Tests.AdvisoryLocks;

public sealed class AdvisoryLockOptionsTests
{
    public static TheoryData<AdvisoryLockOptions, string> Senseless => new()
    {
        { new() { Timeout = TimeSpan.FromMilliseconds(-2) }, "Timeout" },
        { new() { Timeout = TimeSpan.FromDays(25) }, "Timeout" },
        { new() { Scope = (AdvisoryLockScope)7 }, "Scope" },
        { new() { Mode = (AdvisoryLockMode)7 }, "Mode" },
        { new() { KeepAlive = TimeSpan.Zero }, "KeepAlive" },
    };

    [Theory]
    [MemberData(nameof(Senseless))]
    public void An_option_that_makes_no_sense_is_named(AdvisoryLockOptions options, string name)
        => Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(options.Validate).ParamName);

    [Fact]
    public void Unless_told_otherwise_With_waits_and_Try_does_not()
    {
        Assert.Equal(5000, new AdvisoryLockOptions().WaitMilliseconds(isTry: false));
        Assert.Equal(0, new AdvisoryLockOptions().WaitMilliseconds(isTry: true));
        Assert.Equal(1, new AdvisoryLockOptions { Timeout = TimeSpan.FromTicks(1) }.WaitMilliseconds(isTry: true));
        Assert.Null(new AdvisoryLockOptions { Timeout = Timeout.InfiniteTimeSpan }.WaitMilliseconds(isTry: true));
    }

    [Fact]
    public void No_exception_of_the_room_is_one_that_a_strategy_retries()
        => Assert.DoesNotContain(
            typeof(AdvisoryKey).Assembly.GetTypes().Where(t => t.Namespace == typeof(AdvisoryKey).Namespace && t.IsAssignableTo(typeof(Exception))),
            t => t.IsAssignableTo(typeof(TimeoutException)) || t.IsAssignableTo(typeof(Npgsql.NpgsqlException)) || !t.IsSealed);
}
