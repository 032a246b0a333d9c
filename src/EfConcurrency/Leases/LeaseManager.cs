using System.Globalization;
using EfConcurrency.Fencing;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Leases;

/// <summary>Acquires leases from the database of the context it was made from.</summary>
internal sealed class LeaseManager : ILeaseManager
{
    /// <summary>Small: who waits polls, and holds no connection meanwhile. A renewal that hangs holds one until it fails.</summary>
    private const int PoolSize = 4;

    private static readonly string ThisProcess = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}");

    private readonly LeaseStore _store;
    private readonly TimeProvider _time;
    private readonly LeaseReport _report;

    private LeaseManager(LeaseStore store, TimeProvider time, LeaseReport report)
    {
        _store = store;
        _time = time;
        _report = report;
    }

    /// <exception cref="LeaseTableMissingException">The model has no lease table.</exception>
    /// <exception cref="InvalidOperationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static LeaseManager Of(DbContext context)
    {
        // Asks for UseEfConcurrency() in its own words.
        _ = FencingScope.Of(context);
        var table = FencingModel.Of(context.Model, context.GetService<ISqlGenerationHelper>()).TokenTable
            ?? throw LeaseTableMissingException.InModel(context.GetType().Name);
        var time = context.GetService<TimeProvider>();
        return new(
            new LeaseStore(
                SideConnections.Of(context, "efc-lease-acquire", PoolSize, time),
                SideConnections.Of(context, "efc-lease-renew", PoolSize, time),
                new LeaseSql(table)),
            time,
            new LeaseReport(context.GetService<ILoggerFactory>().CreateLogger(LeaseLog.Category)));
    }

    public async Task<LeaseAcquisition> TryAcquireAsync(string name, LeaseOptions? options = null, CancellationToken cancellationToken = default)
    {
        TokenTable.CheckName(name, nameof(name));
        options ??= new();
        options.Check();

        using var activity = LeaseActivity.Start(name);
        var acquisition = await AttemptAsync(name, options, cancellationToken).ConfigureAwait(false);
        LeaseMeter.Attempt(acquisition.Outcome, acquisition.Failure);
        LeaseActivity.End(activity, acquisition);
        return acquisition;
    }

    public async Task<Lease> AcquireAsync(string name, TimeSpan wait, LeaseOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (wait < TimeSpan.Zero && wait != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(nameof(wait), wait, "The wait must be zero or more, or Timeout.InfiniteTimeSpan.");
        }

        options ??= new();
        var startedAt = _time.GetTimestamp();
        while (true)
        {
            var acquisition = await TryAcquireAsync(name, options, cancellationToken).ConfigureAwait(false);
            if (acquisition.IsAcquired)
            {
                return acquisition.Lease;
            }

            var left = wait == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : wait - _time.GetElapsedTime(startedAt);
            if (left <= TimeSpan.Zero)
            {
                throw new LeaseNotAcquiredException(name, wait, acquisition);
            }

            await Task.Delay(Pause(acquisition, options.PollInterval, left), _time, cancellationToken).ConfigureAwait(false);
        }
    }

    public Task<ForcedRelease?> ForceAsync(string name, CancellationToken cancellationToken = default) => ForceAsync(name, token: null, cancellationToken);

    /// <summary>For who has looked, and means the term under this token and no later one; null: whoever holds it.</summary>
    internal async Task<ForcedRelease?> ForceAsync(string name, long? token, CancellationToken cancellationToken)
    {
        TokenTable.CheckName(name, nameof(name));
        var forced = await _store.ForceAsync(name, token, cancellationToken).ConfigureAwait(false);
        if (forced is not null)
        {
            _report.Forced(name, forced);
        }

        return forced;
    }

    public Task<LeaseInfo?> DescribeAsync(string name, CancellationToken cancellationToken = default)
    {
        TokenTable.CheckName(name, nameof(name));
        return _store.DescribeAsync(name, cancellationToken);
    }

    public Task<IReadOnlyList<LeaseInfo>> ListAsync(CancellationToken cancellationToken = default) => _store.ListAsync(cancellationToken);

    /// <summary>Not all contenders at the same moment, and not later than the holder's time is over.</summary>
    private static TimeSpan Pause(LeaseAcquisition last, TimeSpan interval, TimeSpan left)
    {
        var pause = interval * (0.5 + (Random.Shared.NextDouble() / 2));
        var soonest = last.Outcome == LeaseOutcome.Held && last.Remaining > TimeSpan.Zero && last.Remaining < pause ? last.Remaining : pause;
        return soonest < left ? soonest : left;
    }

    private async Task<LeaseAcquisition> AttemptAsync(string name, LeaseOptions options, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        var sentAt = _time.GetTimestamp();
        try
        {
            var answer = await _store
                .AcquireAsync(name, id, options.HolderInfo ?? ThisProcess, options.TimeToLive, options.TakeoverWait, cancellationToken).ConfigureAwait(false);
            return Result(name, id, answer, sentAt, options);
        }
        catch (LeaseUnavailableException failure)
        {
            // A read-only server has written nothing, and a session that asks it would be the next one's.
            var found = failure.IsReadOnlyServer ? null : await FindAsync(name, id, options, cancellationToken).ConfigureAwait(false);
            return found ?? LeaseAcquisition.Unavailable(failure);
        }
    }

    /// <summary>The reply may have been lost after the commit: then the lease is there, under our id.</summary>
    private async Task<LeaseAcquisition?> FindAsync(string name, Guid id, LeaseOptions options, CancellationToken cancellationToken)
    {
        var sentAt = _time.GetTimestamp();
        try
        {
            return await _store.DescribeAsync(name, cancellationToken).ConfigureAwait(false) is { } lease && lease.Holder == id
                ? Result(name, id, new(IsAcquired: true, lease.FencingToken, lease.HolderInfo, lease.Remaining), sentAt, options)
                : null;
        }
        catch (LeaseUnavailableException)
        {
            return null;
        }
    }

    private LeaseAcquisition Result(string name, Guid id, LeaseAnswer? answer, long sentAt, LeaseOptions options)
    {
        switch (answer)
        {
            case null:
                return LeaseAcquisition.Contended;
            case { IsAcquired: false }:
                return LeaseAcquisition.Held(answer);
            default:
                var lease = new Lease(_store, name, id, answer, sentAt, options, _time, _report);
                _report.Acquired(lease);
                return LeaseAcquisition.Acquired(lease);
        }
    }
}
