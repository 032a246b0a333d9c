namespace EfConcurrency.Idempotency;

/// <summary>One way to tie key and work together.</summary>
internal interface IIdempotencyWay
{
    /// <summary>Claims, and works when the claim is won; or tells what stands in the way.</summary>
    /// <param name="patience">How long another's transaction may be waited for; zero or less: as short as possible.</param>
    /// <param name="cancellationToken">The caller's.</param>
    Task<IdempotencyAttempt> AttemptAsync(TimeSpan patience, CancellationToken cancellationToken);
}
