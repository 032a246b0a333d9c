using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Polly;

namespace EfConcurrency.Tests.Resilience;

public sealed class EfConflictRetryTests
{
    private static readonly ConflictRetryOptions NoPause = new() { MaxAttempts = 3, BaseDelay = TimeSpan.Zero, MaxDelay = TimeSpan.Zero };

    [Fact]
    public async Task A_pipeline_runs_a_conflict_again_until_its_attempts_are_used()
    {
        var attempts = 0;
        var pipeline = new ResiliencePipelineBuilder().AddEfConflictRetry(NoPause).Build();

        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(async () => await pipeline.ExecuteAsync(
            _ =>
            {
                attempts++;
                return ValueTask.FromException(new DbUpdateConcurrencyException("stale"));
            },
            TestContext.Current.CancellationToken));

        Assert.Equal(3, attempts);
    }

    [Fact]
    public async Task A_typed_pipeline_returns_the_result_of_the_attempt_that_succeeds()
    {
        var attempts = 0;
        var pipeline = new ResiliencePipelineBuilder<int>().AddEfConflictRetry(NoPause).Build();

        var result = await pipeline.ExecuteAsync(
            _ => ++attempts < 3 ? ValueTask.FromException<int>(new DbUpdateConcurrencyException("stale")) : ValueTask.FromResult(attempts),
            TestContext.Current.CancellationToken);

        Assert.Equal(3, result);
    }

    public static TheoryData<Exception> NoConflicts =>
    [
        new InvalidOperationException("bug"),
        new NpgsqlException("a lost connection, perhaps while committing", new IOException("reset")),
        new PostgresException("terminated, perhaps while committing", "FATAL", "FATAL", "57P01"),
    ];

    [Theory]
    [MemberData(nameof(NoConflicts))]
    public async Task What_is_no_conflict_is_not_run_again(Exception failure)
    {
        var attempts = 0;
        var pipeline = new ResiliencePipelineBuilder().AddEfConflictRetry(NoPause).Build();

        var thrown = await Record.ExceptionAsync(async () => await pipeline.ExecuteAsync(
            _ =>
            {
                attempts++;
                return ValueTask.FromException(failure);
            },
            TestContext.Current.CancellationToken));

        Assert.Same(failure, thrown);
        Assert.Equal(1, attempts);
    }

    [Theory]
    [InlineData(0, 10, 500, "MaxAttempts")]
    [InlineData(1, -1, 500, "BaseDelay")]
    [InlineData(1, 10, 5, "MaxDelay")]
    public void An_option_that_makes_no_sense_is_named(int maxAttempts, int baseDelay, int maxDelay, string option)
    {
        var options = new ConflictRetryOptions
        {
            MaxAttempts = maxAttempts,
            BaseDelay = TimeSpan.FromMilliseconds(baseDelay),
            MaxDelay = TimeSpan.FromMilliseconds(maxDelay),
        };

        Assert.Equal(option, Assert.Throws<ArgumentOutOfRangeException>(() => new ResiliencePipelineBuilder().AddEfConflictRetry(options)).ParamName);
    }
}
