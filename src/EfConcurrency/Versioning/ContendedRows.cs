using System.Reflection;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Versioning;

/// <summary>What one unit knows about the rows that others want too: which it locks before its next attempt.</summary>
internal sealed class ContendedRows(MethodInfo place, RetryOnConflictOptions options)
{
    /// <summary>A save of more rows than this is taken to be a batch: of its rows only the lost ones are locked.</summary>
    private const int MaxWritten = 64;

    private readonly RowsToLock _toLock = new();
    private IReadOnlyList<RowKey> _lockedFromTheStart = [];
    private HotRows? _hotRows;
    private int _conflicts;

    /// <summary>How many rows are locked.</summary>
    public int Count => _toLock.Count;

    /// <summary>Not where one snapshot serves the whole transaction: it would predate the wait for the lock, and the unit fail with 40001.</summary>
    public bool LocksFirst
        => _toLock.Count > 0
            && options.LockAfterConflicts > 0
            && options.HasSnapshotPerStatement
            && (_conflicts >= options.LockAfterConflicts || _lockedFromTheStart.Count > 0);

    /// <summary>Before the first attempt: what did units of this place in the program lose lately?</summary>
    public void Remember(DbContext context)
    {
        if (options.LockAfterConflicts == 0 || _hotRows is not null)
        {
            return;
        }

        _hotRows = HotRows.Of(place, context.Model, context.Database.GetConnectionString() ?? "");
        _lockedFromTheStart = _hotRows.ToLockFirst();
        _toLock.Add(_lockedFromTheStart);
    }

    /// <summary>Waits in the process where all wait for the same rows. True: give the place back with <see cref="Leave"/>.</summary>
    public async Task<bool> EnterAsync(CancellationToken cancellationToken)
        => LocksFirst && _hotRows!.HasHot && await _hotRows.EnterAsync(cancellationToken).ConfigureAwait(false);

    public void Leave() => _hotRows!.Leave();

    /// <inheritdoc cref="RowsToLock.LockAsync"/>
    public Task<CommitTicket> LockAsync(DbContext context, CancellationToken cancellationToken) => _toLock.LockAsync(context, cancellationToken);

    /// <summary>An attempt was refused. What it wrote beside the lost rows the next will write again: taken after those, out of order, it would be a deadlock.</summary>
    public void Refused(RetryUnitState attempt, VersionConflictException conflict)
    {
        _conflicts++;
        var lost = conflict.Conflicts.Where(c => !c.IsDeleted).Select(c => RowKey.Of(c, attempt.Saves)).ToList();
        _toLock.Add(lost);
        _hotRows?.Lost(lost);
        if (attempt.WrittenCount <= MaxWritten)
        {
            _toLock.Add(attempt.Written);
        }
    }

    /// <summary>An attempt was committed.</summary>
    public void Committed(RetryUnitState attempt, bool isFirst)
    {
        if (_hotRows is { IsEmpty: false })
        {
            _hotRows.Succeeded(attempt.Written.Select(r => r.Id).ToHashSet(StringComparer.Ordinal), wonUnlocked: isFirst && _lockedFromTheStart.Count == 0);
        }
    }
}
