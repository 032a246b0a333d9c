namespace EfConcurrency.Inbox;

/// <summary>What an inbox knows of a message.</summary>
/// <param name="MessageId">The id as it was asked for.</param>
/// <param name="SentAt">The time in the id, by the producer's clock; null for an id without one.</param>
/// <param name="DatabaseTime">The time by the database's clock.</param>
/// <param name="WindowDays">The window of the table, in days.</param>
/// <param name="Accepted">Who has accepted it and when, the first one first.</param>
public sealed record InboxMessageInfo(string MessageId, DateTimeOffset? SentAt, DateTimeOffset DatabaseTime, int WindowDays, IReadOnlyList<InboxRecord> Accepted)
{
    /// <summary>Whether the inbox would accept it now. Outside of the window it refuses the message, and may have forgotten who accepted it.</summary>
    public bool IsInsideWindow => SentAt is not { } at || (at >= DatabaseTime.AddDays(-WindowDays) && at <= DatabaseTime + InboxKey.MaxClockSkew);
}
