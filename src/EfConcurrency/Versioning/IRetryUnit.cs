namespace EfConcurrency.Versioning;

/// <summary>What the retry pipeline asks the unit that it runs.</summary>
internal interface IRetryUnit
{
    /// <summary>Whether the failed attempt left nothing behind, and another may succeed.</summary>
    bool MayRunAgain(Exception exception);

    /// <summary>The pause before the next attempt.</summary>
    TimeSpan Delay();

    /// <summary>Takes note of a failed attempt that another follows.</summary>
    void Learn(Exception exception);
}
