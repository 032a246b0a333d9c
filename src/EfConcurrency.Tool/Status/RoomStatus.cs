namespace EfConcurrency.Tool.Status;

/// <summary>One line of the status: a room of the library, of the outbox a sink.</summary>
/// <param name="Room">Its name; of a sink, <c>outbox:sink</c>.</param>
/// <param name="State">How it stands.</param>
/// <param name="Summary">What a person reads.</param>
/// <param name="Figures">What a script reads; lengths of time in seconds.</param>
internal sealed record RoomStatus(string Room, RoomState State, string Summary, IReadOnlyDictionary<string, object?> Figures)
{
    public static RoomStatus NotUsed(string room) => new(room, RoomState.NotUsed, "not used: no such table", new Dictionary<string, object?>());
}
