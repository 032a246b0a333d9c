namespace EfConcurrency.Outbox;

/// <summary>How far a lane is: all that <paramref name="Seen"/> sees, and of what <paramref name="PlannedTo"/> sees beyond it, the ids up to <paramref name="LastId"/>.</summary>
internal sealed record OutboxProgress(OutboxSnapshot Seen, OutboxSnapshot? PlannedTo, long LastId)
{
    public static OutboxProgress At(OutboxSnapshot seen) => new(seen, null, 0);

    /// <summary>Up to an id of what is planned.</summary>
    public OutboxProgress UpTo(OutboxSnapshot plannedTo, long lastId) => new(Seen, plannedTo, lastId);

    public OutboxProgress Finished() => At(PlannedTo!);
}
