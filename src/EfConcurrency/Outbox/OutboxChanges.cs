namespace EfConcurrency.Outbox;

/// <summary>What became of messages that were not simply delivered from the log.</summary>
internal sealed class OutboxChanges
{
    /// <summary>Longer ones are cut.</summary>
    private const int MaxErrorLength = 2000;

    /// <summary>From the log to what is pending.</summary>
    public List<Parked> Parking { get; } = [];

    /// <summary>Pending before and after.</summary>
    public List<Changed> Changing { get; } = [];

    /// <summary>No longer pending: delivered.</summary>
    public List<LoggedMessage> Done { get; } = [];

    public bool IsEmpty => Parking.Count + Changing.Count + Done.Count == 0;

    public static string? Describe(Exception? error)
    {
        var text = error?.GetBaseException() is { } cause ? $"{cause.GetType().Name}: {cause.Message}".Replace('\0', ' ') : null;
        return text?.Length > MaxErrorLength ? text[..MaxErrorLength] : text;
    }

    public void Add(OutboxChanges other)
    {
        Parking.AddRange(other.Parking);
        Changing.AddRange(other.Changing);
        Done.AddRange(other.Done);
    }

    internal sealed record Parked(LoggedMessage Message, OutboxPendingState State, TimeSpan Delay, int Attempts, string? Error);

    internal sealed record Changed(LoggedMessage Message, OutboxPendingState State, TimeSpan Delay, int Attempts, string? Error);
}
