namespace EfConcurrency.Outbox;

/// <summary>What becomes of a message.</summary>
internal readonly record struct OutboxVerdict(bool IsDelivered, bool IsOpen, OutboxPendingState State, TimeSpan Delay, string? Error)
{
    public static OutboxVerdict Delivered => new(IsDelivered: true, IsOpen: false, default, TimeSpan.Zero, Error: null);

    /// <summary>Nothing is known of it: it stays where it is.</summary>
    public static OutboxVerdict Open => new(IsDelivered: false, IsOpen: true, default, TimeSpan.Zero, Error: null);

    public static OutboxVerdict Retry(TimeSpan delay, string? error) => new(IsDelivered: false, IsOpen: false, OutboxPendingState.Retry, delay, error);

    public static OutboxVerdict Dead(string? error) => new(IsDelivered: false, IsOpen: false, OutboxPendingState.Dead, TimeSpan.Zero, error);
}
