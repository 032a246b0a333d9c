namespace EfConcurrency.Outbox;

/// <summary>How a consumer of this process is given messages of the outbox.</summary>
public sealed class InProcessTransportOptions
{
    /// <summary>
    /// Most messages of a lane that are handled in one transaction, 1 to 1,000. More are cheaper, and hold locks longer; when one fails, they are
    /// undone and handled one by one.
    /// </summary>
    /// <value>1: a transaction per message</value>
    public int BatchSize { get; set; } = 1;

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Check()
    {
        if (BatchSize is < 1 or > 1000)
        {
            throw new ArgumentOutOfRangeException(nameof(BatchSize), BatchSize, "InProcessTransportOptions.BatchSize must be 1 to 1,000.");
        }
    }
}
