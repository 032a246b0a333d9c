namespace EfConcurrency.Tool.Status;

/// <summary>All rooms at a moment, by the database's clock.</summary>
internal sealed record StatusReport(DateTimeOffset At, IReadOnlyList<RoomStatus> Rooms)
{
    public bool NeedsAttention => Rooms.Any(r => r.State == RoomState.Attention);
}
