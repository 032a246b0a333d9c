using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Versioning;

/// <summary>
/// What the units of one place in the program lost lately. A row that all of them write, and lose again and again, is locked from the
/// first attempt on: the attempt that is bound to fail costs more than the wait. A row that one of them does not write is forgotten at
/// once: to hold a row that is not written, and wait for another whose holder wants this one, is a deadlock. And now and then one runs
/// without the lock, to find out whether it is still needed. A wrong guess costs time, never correctness.
/// </summary>
internal sealed class HotRows : IDisposable
{
    private const int HotFrom = 3;

    /// <summary>So many units in a row have written it: then it is the row of this place, and not one of several.</summary>
    private const int WrittenByAll = 16;

    private const int Hottest = 6;
    private const int MaxRows = 8;
    private const int MaxPlaces = 1024;
    private const int ProbeEvery = 64;

    /// <summary>
    /// How many units of this process that lock the same hot rows stand in the database's queue: one holds the lock, the next is
    /// already waiting for it. The others wait here, where waiting costs no connection and wakes no server process.
    /// </summary>
    private const int InDatabase = 2;

    /// <summary>Nobody waits longer than this for a place: the queue is a courtesy to the server, the lock in the database is what counts.</summary>
    private static readonly TimeSpan LongestQueue = TimeSpan.FromMilliseconds(200);

    /// <summary>The model is part of the name: with a schema per tenant, the same unit on the same database means other tables.</summary>
    private static readonly ConcurrentDictionary<(MethodInfo Unit, IModel Model, string Database), HotRows> Places = new();

    private readonly SemaphoreSlim _queue = new(InDatabase, InDatabase);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HotRow> _rows = new(StringComparer.Ordinal);
    private volatile bool _hasHot;
    private int _runs;

    public bool IsEmpty => _rows.Count == 0;

    /// <summary>Whether all units of the place queue for the same rows.</summary>
    public bool HasHot => _hasHot;

    /// <summary>The memory of one unit (a lambda in the program) on one database.</summary>
    public static HotRows Of(MethodInfo unit, IModel model, string database)
        => Places.TryGetValue((unit, model, database), out var known) ? known
            : Places.Count < MaxPlaces ? Places.GetOrAdd((unit, model, database), _ => new HotRows())
            : new HotRows();

    /// <summary>The rows to lock before a unit's first attempt.</summary>
    public IReadOnlyList<RowKey> ToLockFirst()
    {
        if (!_hasHot || Interlocked.Increment(ref _runs) % ProbeEvery == 0)
        {
            return [];
        }

        lock (_lock)
        {
            return [.. _rows.Values.Where(r => r.IsHot).Select(r => r.Row)];
        }
    }

    /// <summary>Waits for a place in the database's queue. True: give it back with <see cref="Leave"/>.</summary>
    public Task<bool> EnterAsync(CancellationToken cancellationToken) => _queue.WaitAsync(LongestQueue, cancellationToken);

    public void Leave() => _queue.Release();

    /// <summary>The rows were lost against another writer.</summary>
    public void Lost(IEnumerable<RowKey> rows)
    {
        lock (_lock)
        {
            foreach (var row in rows)
            {
                if (_rows.TryGetValue(row.Id, out var known))
                {
                    _rows[row.Id] = known with { Heat = Math.Min(known.Heat + 1, Hottest) };
                }
                else if (_rows.Count < MaxRows || MakeRoom())
                {
                    _rows[row.Id] = new(row, Heat: 1, Streak: 0);
                }
            }

            Update();
        }
    }

    /// <summary>A unit succeeded.</summary>
    /// <param name="written">Names of the rows that it wrote. One that wrote none tells nothing about the others.</param>
    /// <param name="wonUnlocked">At its first attempt, and without a lock.</param>
    public void Succeeded(IReadOnlySet<string> written, bool wonUnlocked)
    {
        if (written.Count == 0)
        {
            return;
        }

        lock (_lock)
        {
            foreach (var (id, row) in _rows.ToList())
            {
                _rows[id] = written.Contains(id)
                    ? row with { Heat = row.Heat - (wonUnlocked ? 1 : 0), Streak = Math.Min(row.Streak + 1, WrittenByAll) }
                    : row with { Heat = 0 };
            }

            Update();
        }
    }

    public void Dispose() => _queue.Dispose();

    private bool MakeRoom()
    {
        var coldest = _rows.MinBy(r => r.Value.Heat);
        return coldest.Value.Heat < HotFrom && _rows.Remove(coldest.Key);
    }

    private void Update()
    {
        foreach (var cold in _rows.Where(r => r.Value.Heat <= 0).Select(r => r.Key).ToList())
        {
            _rows.Remove(cold);
        }

        _hasHot = _rows.Values.Any(r => r.IsHot);
    }

    /// <summary>A row that was lost lately.</summary>
    /// <param name="Row">The row.</param>
    /// <param name="Heat">How much oftener it was lost than won.</param>
    /// <param name="Streak">How many units in a row have written it.</param>
    private sealed record HotRow(RowKey Row, int Heat, int Streak)
    {
        public bool IsHot => Heat >= HotFrom && Streak >= WrittenByAll;
    }
}
