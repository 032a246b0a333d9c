using EfConcurrency.Resilience;

namespace EfConcurrency.Tests.Resilience;

public sealed class BackOffTests
{
    [Theory]
    [InlineData(1, 0.0, 5)]
    [InlineData(1, 1.0, 10)]
    [InlineData(2, 1.0, 20)]
    [InlineData(4, 0.5, 60)]
    [InlineData(7, 1.0, 500)] // 640, capped
    [InlineData(60, 0.0, 250)]
    public void The_bound_doubles_up_to_the_cap_and_the_pause_is_at_least_half_of_it(int failedAttempts, double random, double milliseconds)
        => Assert.Equal(milliseconds, BackOff.Delay(new ConflictRetryOptions(), failedAttempts, random).TotalMilliseconds, precision: 6);

    [Fact]
    public void No_base_means_no_pause()
        => Assert.Equal(TimeSpan.Zero, BackOff.Delay(new ConflictRetryOptions { BaseDelay = TimeSpan.Zero }, 5, 1));
}
