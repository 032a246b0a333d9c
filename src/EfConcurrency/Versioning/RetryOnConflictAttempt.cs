namespace EfConcurrency.Versioning;

/// <summary>A failed attempt that another one follows.</summary>
/// <param name="Attempt">Number of the failed attempt, from 1.</param>
/// <param name="Exception">Why it failed.</param>
public sealed record RetryOnConflictAttempt(int Attempt, Exception Exception);
