namespace EfConcurrency.Outbox;

/// <summary>When to look again at what waits beside the log.</summary>
internal sealed class OutboxDueTimes(TimeProvider time)
{
    /// <summary>What others have put there (an operator, the leader before us) is found after this long.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _from;
    private TimeSpan _wait;
    private int _version;

    /// <summary>To be read before the database is asked.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>Until then nothing is due.</summary>
    public TimeSpan Left
    {
        get
        {
            lock (_lock)
            {
                var left = _wait - time.GetElapsedTime(_from);
                return left > TimeSpan.Zero ? left : TimeSpan.Zero;
            }
        }
    }

    /// <summary>The database was asked; null: nothing waits. What was put there since <paramref name="version"/> it may not have seen.</summary>
    public void Asked(TimeSpan? next, int version)
    {
        lock (_lock)
        {
            if (version == _version)
            {
                Set(next < Longest ? next.Value : Longest);
            }
            else
            {
                Set(TimeSpan.Zero);
            }
        }
    }

    /// <summary>Something was put there.</summary>
    public void Add(TimeSpan dueIn)
    {
        lock (_lock)
        {
            _version++;
            if (dueIn < Left)
            {
                Set(dueIn);
            }
        }
    }

    private void Set(TimeSpan wait)
    {
        lock (_lock)
        {
            (_from, _wait) = (time.GetTimestamp(), wait);
        }
    }
}
