namespace EfConcurrency.RabbitMQ;

/// <summary>Settings of a consumer.</summary>
public sealed class RabbitMqConsumerOptions
{
    /// <summary>A delivery that is not acknowledged within the broker's <c>consumer_timeout</c> (30 minutes) closes the channel.</summary>
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(15);

    /// <summary>How the broker is reached.</summary>
    /// <value>the broker on this machine</value>
    public RabbitMqConnectionOptions Connection { get; } = new();

    /// <summary>What is declared when a connection is made; empty: the queue must be there.</summary>
    /// <value>empty</value>
    public RabbitMqTopology Topology { get; } = new();

    /// <summary>Deliveries that the broker hands out before the first is acknowledged; they are kept in memory, also those that wait for their key or for another try.</summary>
    /// <value>100</value>
    public ushort Prefetch { get; set; } = 100;

    /// <summary>Handlers that run at a time, each with a scope, a context and a connection of its own. Messages of one key are handled one after the other.</summary>
    /// <value>8</value>
    public int Concurrency { get; set; } = 8;

    /// <summary>How often a message is tried before it is a dead letter. Failures of the database as such (it is down, it takes no connections) are not counted.</summary>
    /// <value>10</value>
    public int MaxAttempts { get; set; } = 10;

    /// <summary>Pause before the second attempt; it doubles with each further one, and half of it is random. The later messages of its key wait, others go on.</summary>
    /// <value>200 milliseconds</value>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause.</summary>
    /// <value>30 seconds</value>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Deliveries after which a message is a dead letter untried: it seems to end the process. Counted by quorum queues only (<c>x-delivery-count</c>), and also when a connection
    /// breaks or a process stops.
    /// </summary>
    /// <value>50</value>
    public int MaxDeliveries { get; set; } = 50;

    /// <summary>Where dead letters are published.</summary>
    /// <value>the queue named like the consumer's with <c>.dead</c> after it</value>
    public RabbitMqAddress? DeadLetter { get; set; }

    /// <summary>Whether the queue of the dead letters is declared (durable, of quorum type) when <see cref="DeadLetter"/> is not set.</summary>
    /// <value><see langword="true"/></value>
    public bool DeclareDeadLetterQueue { get; set; } = true;

    /// <exception cref="ArgumentException">The Uri is not one of AMQP.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Check()
    {
        Connection.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(Concurrency, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan((int)Prefetch, Concurrency, nameof(Prefetch));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAttempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxDeliveries, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRetryDelay, RetryDelay);
        var total = TimeSpan.Zero;
        for (var attempt = 1; attempt < MaxAttempts && total <= LongestRetry; attempt++)
        {
            total += BackOff.Bound(RetryDelay, MaxRetryDelay, attempt);
        }

        if (total > LongestRetry)
        {
            throw new ArgumentOutOfRangeException(
                nameof(MaxAttempts),
                $"MaxAttempts ({MaxAttempts}), RetryDelay and MaxRetryDelay of RabbitMqConsumerOptions let a message be retried for more than {LongestRetry.TotalMinutes} minutes. RabbitMQ closes a channel on which a delivery is not answered for 30 (consumer_timeout). Try less often; a dead letter can be replayed.");
        }
    }
}
