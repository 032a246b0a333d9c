using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Versioning;

/// <summary>
/// What the units of one place in the program lost lately. A row that they lose again and again is locked from the first attempt on:
/// the attempt that is bound to fail costs more than the wait. A row that a unit then does not write is forgotten at once, and now and
/// then one runs without the lock, to find out whether it is still needed. A wrong guess costs a round trip, never correctness.
/// </summary>
internal sealed class HotRows : IDisposable
{
    private const int HotFrom = 3;
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
    private readonly Dictionary<string, (VersionConflict Row, int Heat)> _rows = new(StringComparer.Ordinal);
    private volatile bool _hasHot;
    private int _runs;

    /// <summary>The memory of one unit (a lambda in the program) on one database.</summary>
    public static HotRows Of(MethodInfo unit, IModel model, string database)
        => Places.TryGetValue((unit, model, database), out var known) ? known
            : Places.Count < MaxPlaces ? Places.GetOrAdd((unit, model, database), _ => new HotRows())
            : new HotRows();

    /// <summary>The rows to lock before a unit's first attempt.</summary>
    public IReadOnlyList<VersionConflict> ToLockFirst()
    {
        if (!_hasHot || Interlocked.Increment(ref _runs) % ProbeEvery == 0)
        {
            return [];
        }

        lock (_lock)
        {
            return [.. _rows.Values.Where(r => r.Heat >= HotFrom).Select(r => r.Row)];
        }
    }

    /// <summary>Waits for a place in the database's queue. True: give it back with <see cref="Leave"/>.</summary>
    public Task<bool> EnterAsync(CancellationToken cancellationToken) => _queue.WaitAsync(LongestQueue, cancellationToken);

    public void Leave() => _queue.Release();

    /// <summary>The rows were lost against another writer.</summary>
    public void Lost(IEnumerable<VersionConflict> rows)
    {
        lock (_lock)
        {
            foreach (var row in rows.Where(r => !r.IsDeleted))
            {
                var id = LostRows.Id(row.Type, row.Key);
                var heat = _rows.TryGetValue(id, out var known) ? known.Heat : 0;
                if (heat > 0 || _rows.Count < MaxRows || MakeRoom())
                {
                    _rows[id] = (row, Math.Min(heat + 1, Hottest));
                }
            }

            Update();
        }
    }

    /// <summary>A unit succeeded: <paramref name="written"/> tells whether it wrote a row.</summary>
    public void Succeeded(IReadOnlyList<VersionConflict> locked, Func<string, bool> written, bool atFirstAttempt)
    {
        if (_rows.Count == 0)
        {
            return;
        }

        lock (_lock)
        {
            foreach (var id in locked.Select(r => LostRows.Id(r.Type, r.Key)).Where(id => !written(id)))
            {
                _rows.Remove(id);
            }

            if (locked.Count == 0 && atFirstAttempt)
            {
                foreach (var (id, (row, heat)) in _rows.Where(r => written(r.Key)).ToList())
                {
                    _rows[id] = (row, heat - 1);
                }
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

        _hasHot = _rows.Values.Any(r => r.Heat >= HotFrom);
    }
}
