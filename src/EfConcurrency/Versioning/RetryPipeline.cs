using Polly;
using Polly.Retry;

namespace EfConcurrency.Versioning;

/// <summary>The Polly pipeline under <c>RetryOnConflictAsync</c>. One serves all calls with the same options; the unit comes with the call.</summary>
internal static class RetryPipeline
{
    public static readonly ResiliencePropertyKey<IRetryUnit> Unit = new("EfConcurrency.RetryUnit");

    public static ResiliencePipeline Create(int maxAttempts)
        => maxAttempts == 1
            ? ResiliencePipeline.Empty
            : new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
            {
                Name = "RetryOnConflict",
                MaxRetryAttempts = maxAttempts - 1,
                ShouldHandle = static attempt => ValueTask.FromResult(attempt.Outcome.Exception is { } e && Of(attempt.Context).MayRunAgain(e)),
                OnRetry = static attempt =>
                {
                    Of(attempt.Context).Learn(attempt.Outcome.Exception!);
                    return ValueTask.CompletedTask;
                },
                DelayGenerator = static attempt => ValueTask.FromResult<TimeSpan?>(Of(attempt.Context).Delay()),
            }).Build();

    private static IRetryUnit Of(ResilienceContext context)
        => context.Properties.TryGetValue(Unit, out var unit) ? unit : throw new InvalidOperationException("The retry pipeline runs without its unit.");
}
