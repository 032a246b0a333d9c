using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.Tool.Locks;

/// <summary>What is shown of a session of the server.</summary>
internal static class SessionText
{
    private const int LongestStatement = 120;

    /// <summary>Its statement on one line, cut.</summary>
    public static string? Statement(LockSession session)
    {
        var line = string.Join(' ', (session.Statement ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length == 0 ? null : line.Length <= LongestStatement ? line : line[..LongestStatement] + "…";
    }

    /// <summary>How long ago, by the database's clock.</summary>
    public static double? Seconds(DateTimeOffset? since, DateTimeOffset now) => since is { } then ? Math.Max(0, (now - then).TotalSeconds) : null;
}
