namespace EfConcurrency.Leases;

/// <summary>
/// A lease that this process holds. It is renewed in the background until it is disposed, which releases it. Outside effects (a mail, a call of
/// another service) need <see cref="LostToken"/>; writes to this database need <c>db.UseLease(lease)</c>, which the database itself enforces.
/// </summary>
/// <remarks>
/// Trust ends at a deadline of the local monotonic clock, counted from before the request was sent: pauses and slow replies only shorten it.
/// While a virtual machine is suspended that clock may stand still: only fencing protects from that.
/// </remarks>
public sealed class Lease : IAsyncDisposable
{
    private readonly LeaseStore _store;
    private readonly LeaseOptions _options;
    private readonly TimeProvider _time;
    private readonly LeaseReport _report;
    private readonly CancellationTokenSource _lost = new();
    private readonly Lock _lock = new();
    private readonly ITimer _deadlineTimer;
    private readonly LeaseKeeper? _keeper;
    private long _trustedFrom;
    private TimeSpan _trustedFor;
    private LeaseLoss? _loss;

    internal Lease(LeaseStore store, string name, Guid id, LeaseAnswer answer, long sentAt, LeaseOptions options, TimeProvider time, LeaseReport report)
    {
        _store = store;
        _options = options;
        _time = time;
        _report = report;
        Name = name;
        Id = id;
        HolderInfo = answer.HolderInfo;
        FencingToken = answer.FencingToken;
        _trustedFrom = sentAt;
        _trustedFor = answer.Remaining - options.Margin;
        _deadlineTimer = time.CreateTimer(static state => ((Lease)state!).CheckDeadline(), this, Due(), Timeout.InfiniteTimeSpan);
        _keeper = options.KeepAlive ? new LeaseKeeper(this, options.RenewInterval, time, report) : null;
    }

    /// <summary>What the lease protects.</summary>
    public string Name { get; }

    /// <summary>Rises with every acquisition of the name, also across a failover. Pass it to whatever can refuse an older one.</summary>
    public long FencingToken { get; }

    /// <summary>This acquisition; no other has the same.</summary>
    public Guid Id { get; }

    /// <summary>Who holds it, for people.</summary>
    public string? HolderInfo { get; }

    /// <summary>Is cancelled when the lease is lost: taken over, forced free, or not renewed in time, with or without an answer of the database.</summary>
    public CancellationToken LostToken => _lost.Token;

    /// <summary>Whether this process may trust the lease now.</summary>
    public bool IsHeld => Remaining > TimeSpan.Zero;

    /// <summary>How long this process may trust the lease, from now; zero when it is lost or released.</summary>
    public TimeSpan Remaining
    {
        get
        {
            lock (_lock)
            {
                return _loss is not null ? TimeSpan.Zero : Left();
            }
        }
    }

    /// <summary>How the lease ended; null while it is held.</summary>
    public LeaseLoss? Loss
    {
        get
        {
            lock (_lock)
            {
                return _loss ?? (Left() <= TimeSpan.Zero ? LeaseLoss.Expired : null);
            }
        }
    }

    /// <summary>Extends the lease by its time to live. Only needed when <see cref="LeaseOptions.KeepAlive"/> is off.</summary>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <returns>A task that ends when the database has extended it.</returns>
    /// <exception cref="LeaseLostException">It is lost or released.</exception>
    /// <exception cref="LeaseUnavailableException">The database could not be asked; the lease holds until its time is over.</exception>
    public async Task RenewAsync(CancellationToken cancellationToken = default)
    {
        // Never after it was lost: a renewal that comes through late would make others wait for a holder that has stopped.
        ThrowIfNotHeld();
        var sentAt = _time.GetTimestamp();
        var remaining = await _store.RenewAsync(Name, FencingToken, Id, _options.TimeToLive, cancellationToken).ConfigureAwait(false);
        if (remaining is null)
        {
            End(LeaseLoss.TakenOver);
            ThrowIfNotHeld();
        }

        Trust(sentAt, remaining!.Value);
        LeaseMeter.Renewed();
        ThrowIfNotHeld();
    }

    /// <summary>Gives the lease back, so that the next can take it at once.</summary>
    /// <param name="cancellationToken">Cancels the statement; the lease then runs out by itself.</param>
    /// <returns>False when it was lost before.</returns>
    /// <exception cref="LeaseUnavailableException">The database could not be asked; the lease runs out by itself.</exception>
    public async Task<bool> ReleaseAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync().ConfigureAwait(false);
        if (!End(LeaseLoss.Released))
        {
            return false;
        }

        return await _store.ReleaseAsync(Name, FencingToken, Id, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Releases the lease. Does not throw when the database can't be reached: the lease then runs out by itself.</summary>
    /// <returns>A task that ends when it is released.</returns>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(_options.RenewInterval, _time);
        try
        {
            await ReleaseAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is LeaseUnavailableException or LeaseTableMissingException or OperationCanceledException)
        {
            _report.NotReleased(this, failure);
        }
    }

    /// <exception cref="LeaseLostException">The lease is lost or released.</exception>
    internal void ThrowIfNotHeld()
    {
        if (Loss is { } loss)
        {
            throw new LeaseLostException(Name, FencingToken, loss);
        }
    }

    /// <summary>For saves: what was only lost is for the database to judge, which knows by whom.</summary>
    /// <exception cref="LeaseLostException">This process has released the lease.</exception>
    internal void ThrowIfReleased()
    {
        if (Loss == LeaseLoss.Released)
        {
            throw new LeaseLostException(Name, FencingToken, LeaseLoss.Released);
        }
    }

    private TimeSpan Left() => _trustedFor - _time.GetElapsedTime(_trustedFrom);

    private TimeSpan Due()
    {
        var left = Left();
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Trust(long sentAt, TimeSpan remaining)
    {
        lock (_lock)
        {
            // Of two renewals whose answers cross, the later one counts.
            if (_loss is null && sentAt >= _trustedFrom)
            {
                _trustedFrom = sentAt;
                _trustedFor = remaining - _options.Margin;
                _deadlineTimer.Change(Due(), Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void CheckDeadline()
    {
        lock (_lock)
        {
            // A timer may fire a little early, and a renewal may have come in between.
            if (_loss is null && Left() > TimeSpan.Zero)
            {
                _deadlineTimer.Change(Due() + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
                return;
            }
        }

        End(LeaseLoss.Expired);
    }

    /// <summary>Whether this call ended it.</summary>
    private bool End(LeaseLoss loss)
    {
        lock (_lock)
        {
            if (_loss is not null)
            {
                return false;
            }

            // A release that comes too late is a loss.
            _loss = loss == LeaseLoss.Released && Left() <= TimeSpan.Zero ? LeaseLoss.Expired : loss;
            loss = _loss.Value;
        }

        _deadlineTimer.Dispose();
        LeaseMeter.Ended(this);
        if (loss == LeaseLoss.Released)
        {
            return true;
        }

        _report.Lost(this, loss);

        // Callbacks of the program run on a thread of their own: the keeper, or a timer, must not wait for them.
        _ = _lost.CancelAsync();
        return false;
    }

    private ValueTask StopAsync() => _keeper?.DisposeAsync() ?? ValueTask.CompletedTask;
}
