namespace EfConcurrency.QueryPipeline;

/// <summary>A query has a shape in which its rows can't be locked. Nothing was sent.</summary>
public sealed class UnsupportedRowLockException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is not supported, and what to do.</param>
    public UnsupportedRowLockException(string message)
        : base(message)
    {
    }
}
