namespace EfConcurrency.Outbox;

/// <summary>Wakes other processes.</summary>
internal static class OutboxNotifySql
{
    /// <summary>Parameters: channel.</summary>
    public const string Notify = "/* efconcurrency outbox.notify */ select pg_notify($1, '')";

    public static string Listen(string channel) => $"/* efconcurrency outbox.listen */ listen {channel}";
}
