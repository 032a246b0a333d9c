namespace EfConcurrency.QueryPipeline;

/// <summary>An <c>ExecuteUpdate</c> has a shape in which the version could not be raised, or the fencing token not be written. Nothing was written.</summary>
public sealed class UnsupportedBulkUpdateException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is not supported, and what to do.</param>
    public UnsupportedBulkUpdateException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception around EF's own.</summary>
    /// <param name="message">What is not supported, and what to do.</param>
    /// <param name="innerException">EF's exception.</param>
    public UnsupportedBulkUpdateException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
