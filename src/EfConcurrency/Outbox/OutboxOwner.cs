namespace EfConcurrency.Outbox;

/// <summary>A dispatcher that is alive, so that others know how many share the lanes. The library alone writes it.</summary>
public sealed class OutboxOwner
{
    private OutboxOwner()
    {
    }

    /// <summary>Name of the transport.</summary>
    public string Sink { get; private set; } = null!;

    /// <summary>Who it is: one id for each start of a dispatcher.</summary>
    public string Owner { get; private set; } = null!;

    /// <summary>Machine and process, for people.</summary>
    public string Name { get; private set; } = null!;

    /// <summary>How many lanes it takes at most.</summary>
    public int Capacity { get; private set; }

    /// <summary>When it started, by the database's clock.</summary>
    public DateTimeOffset StartedAt { get; private set; }

    /// <summary>Until when it counts as alive, by the database's clock.</summary>
    public DateTimeOffset LiveUntil { get; private set; }

    /// <summary>Why its transport is down; null when it is not.</summary>
    public string? Failure { get; private set; }
}
