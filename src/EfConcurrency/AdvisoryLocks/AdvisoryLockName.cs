namespace EfConcurrency.AdvisoryLocks;

/// <summary>A row of the table of names: what the number of a lock in <c>pg_locks</c> means. Rows are added when a process first uses a name, and never removed by the library.</summary>
public sealed class AdvisoryLockName
{
    private AdvisoryLockName()
    {
    }

    /// <summary>The number that is locked; see <see cref="AdvisoryKey.Of(string, string)"/>.</summary>
    public long Key { get; private set; }

    /// <summary>What keeps equal names of different uses apart; empty when none was given.</summary>
    public string Namespace { get; private set; } = "";

    /// <summary>The name.</summary>
    public string Name { get; private set; } = "";

    /// <summary>When a process first used the name, by the clock of the database.</summary>
    public DateTimeOffset FirstUsedAt { get; private set; }
}
