using EfConcurrency.Resilience;
using Polly.Retry;

namespace Polly;

/// <summary>Retry after conflicts, for any Polly pipeline.</summary>
public static class EfConflictRetryExtensions
{
    /// <summary>
    /// Runs the callback again when it lost against another writer: version conflicts, serialization failures (40001) and deadlocks
    /// (40P01). The callback must open its own context and transaction each time, and must commit as the last thing it does. A lost
    /// connection is not followed by another run, because the commit may have happened: <c>RetryOnConflictAsync</c> can settle that.
    /// </summary>
    /// <param name="builder">The pipeline's builder.</param>
    /// <param name="options">Attempts and pauses; default: see <see cref="ConflictRetryOptions"/>.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static ResiliencePipelineBuilder AddEfConflictRetry(this ResiliencePipelineBuilder builder, ConflictRetryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        options ??= new();
        options.Validate();
        return options.MaxAttempts == 1
            ? builder
            : builder.AddRetry(Configure<RetryStrategyOptions, object>(new(), options));
    }

    /// <inheritdoc cref="AddEfConflictRetry(ResiliencePipelineBuilder, ConflictRetryOptions?)"/>
    /// <typeparam name="TResult">What the callback returns.</typeparam>
    public static ResiliencePipelineBuilder<TResult> AddEfConflictRetry<TResult>(this ResiliencePipelineBuilder<TResult> builder, ConflictRetryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        options ??= new();
        options.Validate();
        return options.MaxAttempts == 1
            ? builder
            : builder.AddRetry(Configure<RetryStrategyOptions<TResult>, TResult>(new(), options));
    }

    private static TStrategy Configure<TStrategy, TResult>(TStrategy retry, ConflictRetryOptions options)
        where TStrategy : RetryStrategyOptions<TResult>
    {
        retry.Name = "EfConflictRetry";
        retry.MaxRetryAttempts = options.MaxAttempts - 1;
        retry.ShouldHandle = attempt => ValueTask.FromResult(MayRunAgain(attempt.Outcome.Exception, options));
        retry.DelayGenerator = attempt => ValueTask.FromResult<TimeSpan?>(BackOff.Delay(options, attempt.AttemptNumber + 1, Random.Shared.NextDouble()));
        return retry;
    }

    private static bool MayRunAgain(Exception? exception, ConflictRetryOptions options)
        => exception is not null && ReplayClassifier.Classify(exception, options.RetriedConstraintSet) is ReplayVerdict.Conflict or ReplayVerdict.RolledBack;
}
