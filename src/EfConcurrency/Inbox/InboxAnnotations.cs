namespace EfConcurrency.Inbox;

/// <summary>Names of the model annotations of this room. They are part of users' migration snapshots: never rename one.</summary>
internal static class InboxAnnotations
{
    /// <summary>On the entity type of the inbox: the days of its window. The number of partitions follows from it.</summary>
    public const string WindowDays = "EfConcurrency:InboxWindowDays";

    /// <summary>Runtime annotation on the entity type of the inbox: its <see cref="InboxTable"/>.</summary>
    public const string Table = "EfConcurrency:InboxTable";
}
