namespace EfConcurrency.RabbitMQ;

/// <summary>The broker can't be reached, or does not take messages. What was not confirmed stays in the outbox; the next attempt connects again.</summary>
public sealed class RabbitMqUnavailableException : Exception
{
    internal RabbitMqUnavailableException(string connection, string broker, string what, TimeSpan retryAfter, Exception? innerException)
        : base($"The connection '{connection}' to RabbitMQ at {broker} {what}. The next attempt is made in {retryAfter.TotalSeconds:0.0} s.", innerException)
    {
        Broker = broker;
        RetryAfter = retryAfter;
    }

    /// <summary>Host and port of the broker.</summary>
    public string Broker { get; }

    /// <summary>An attempt before this time has passed fails at once.</summary>
    public TimeSpan RetryAfter { get; }
}
