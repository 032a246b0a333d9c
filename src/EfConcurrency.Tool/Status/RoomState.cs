namespace EfConcurrency.Tool.Status;

/// <summary>How it stands with a room of the library.</summary>
internal enum RoomState
{
    Ok,

    /// <summary>Somebody should look.</summary>
    Attention,

    /// <summary>The schema has not its table.</summary>
    NotUsed,
}
