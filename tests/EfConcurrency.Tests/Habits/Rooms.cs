namespace EfConcurrency.Tests.Habits;

/// <summary>The rooms of src/EfConcurrency and which of them each may use. A room that is not built yet may be absent.</summary>
internal static class Rooms
{
    /// <summary>Level, rooms of the same level that may be used, and the room's name in SQL comments.</summary>
    private static readonly Dictionary<string, Room> All = new(StringComparer.Ordinal)
    {
        ["Diagnostics"] = new(0, "diagnostics"),
        ["Postgres"] = new(0, "postgres"),
        ["WriteEnvelope"] = new(1, "envelope"),
        ["QueryPipeline"] = new(1, "query"),
        ["Migrations"] = new(1, "migrations"),
        ["Resilience"] = new(1, "resilience"),
        ["Versioning"] = new(2, "versioning"),
        ["Fencing"] = new(2, "fencing"),
        ["AdvisoryLocks"] = new(2, "advisory-locks"),
        ["RowLocks"] = new(2, "row-locks"),
        ["Messaging"] = new(2, "messaging"),
        ["Leases"] = new(3, "leases"),
        ["JobSlots"] = new(3, "job-slots"),
        ["Idempotency"] = new(3, "idempotency"),
        ["Outbox"] = new(3, "outbox", "Inbox"),
        ["Inbox"] = new(3, "inbox"),
        ["Infrastructure"] = new(4, "infrastructure"),
    };

    public static IEnumerable<string> Names => All.Keys;

    public static bool IsKnown(string room) => All.ContainsKey(room);

    /// <summary>How statements of the room are named: <c>/* efconcurrency name.statement */</c>.</summary>
    public static string SqlName(string room) => All[room].SqlName;

    /// <summary>Whether code of one room may name another: itself, all rooms of lower levels, and the peers the table names.</summary>
    public static bool MayUse(string user, string used)
        => user == used || All[used].Level < All[user].Level || All[user].Peers.Contains(used);

    public static string Describe(string room) => $"{room} (level {All[room].Level})";

    private sealed record Room(int Level, string SqlName, params string[] Peers);
}
