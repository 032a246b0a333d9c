using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Outbox;

/// <summary>
/// Wakes the dispatchers of this process when a message is committed. A hint that saves waiting, never needed: who listens asks the database
/// first, and again from time to time, because other processes raise nothing here and one database can be reached under several names.
/// </summary>
/// <remarks>Each listener takes a signal of its own and keeps it. A database that nobody listens to costs nothing.</remarks>
internal sealed class OutboxSignal
{
    private static readonly ConcurrentDictionary<Place, WeakReference<Source>> Sources = new();

    private readonly Source _source;
    private readonly TimeProvider _time;
    private Task _raised;

    private OutboxSignal(Source source, TimeProvider time)
    {
        _source = source;
        _time = time;
        _raised = source.NextRaise();
    }

    /// <summary>How many databases are listened to, or were until lately.</summary>
    public static int Databases => Sources.Count;

    /// <summary>A signal that hears of every message committed from now on to the outbox of a context.</summary>
    /// <exception cref="OutboxTableMissingException">The model has no outbox.</exception>
    public static OutboxSignal Of(DbContext context) => new(Listen(Place.Of(context)), context.GetService<TimeProvider>());

    /// <summary>Wakes all who listen to the outbox of a context.</summary>
    public static void Raise(DbContext context) => Raiser(context)?.Invoke();

    /// <summary>What wakes all who listen now to the outbox of a context, for when the context is gone; null when nobody does.</summary>
    public static Action? Raiser(DbContext context) => !Sources.IsEmpty && Find(Place.Of(context)) is { } source ? source.Raise : null;

    /// <summary>Wakes all who listen to the same outbox.</summary>
    public void Raise() => _source.Raise();

    /// <summary>
    /// Waits until the signal is raised. What was raised since the last wait that returned true ends this one at once, so that a message which is
    /// committed while its listener reads is not missed. One wait at a time.
    /// </summary>
    /// <param name="timeout">How long at most.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether it was raised; false after <paramref name="timeout"/>.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        await _raised.WaitAsync(timeout, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (!_raised.IsCompleted)
        {
            return false;
        }

        _raised = _source.NextRaise();
        return true;
    }

    private static Source? Find(Place place)
        => Sources.TryGetValue(place, out var reference) && reference.TryGetTarget(out var source) ? source : null;

    private static Source Listen(Place place)
    {
        lock (Sources)
        {
            if (Find(place) is { } found)
            {
                return found;
            }

            // Listeners come seldom, so that this is the time to forget the databases of those that are gone.
            foreach (var entry in Sources)
            {
                if (!entry.Value.TryGetTarget(out _))
                {
                    Sources.TryRemove(entry);
                }
            }

            var source = new Source();
            Sources[place] = new(source);
            return source;
        }
    }

    /// <summary>An outbox, as far as a process can tell two apart without asking the server.</summary>
    private readonly record struct Place(string Server, string Database, string Table)
    {
        public static Place Of(DbContext context)
        {
            var connection = context.Database.GetDbConnection();
            return new(connection.DataSource, connection.Database, OutboxTable.Of(context).Log.Name);
        }
    }

    private sealed class Source
    {
        private TaskCompletionSource? _next;

        /// <summary>Completed by the next <see cref="Raise"/>.</summary>
        public Task NextRaise()
        {
            if (Volatile.Read(ref _next) is { } next)
            {
                return next.Task;
            }

            var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (Interlocked.CompareExchange(ref _next, mine, null) ?? mine).Task;
        }

        public void Raise() => Interlocked.Exchange(ref _next, null)?.TrySetResult();
    }
}
