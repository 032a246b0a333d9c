namespace EfConcurrency.Outbox;

/// <summary>A lane that this dispatcher leads. One piece of work at a time is done on it.</summary>
internal sealed class LedLane(short number, long epoch, OutboxProgress progress, CancellationToken session) : IDisposable
{
    private readonly CancellationTokenSource _over = CancellationTokenSource.CreateLinkedTokenSource(session);
    private volatile OutboxProgress _progress = progress;
    private volatile bool _isBusy;

    public short Number => number;

    /// <summary>Fences our acknowledgements.</summary>
    public long Epoch => epoch;

    /// <summary>How far it is; what is not acknowledged yet is done again after a crash.</summary>
    public OutboxProgress Progress
    {
        get => _progress;
        set => _progress = value;
    }

    /// <summary>Whether a key of it may wait beside the log, so that the later ones of that key must follow.</summary>
    public bool HasWaiting { get; set; }

    public bool IsBusy => _isBusy;

    /// <summary>To be given to another when it is idle.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Cancelled when the lane is not ours any more, or may not be.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>The last piece of work.</summary>
    public Task Work { get; private set; } = Task.CompletedTask;

    /// <param name="work">It must not fail.</param>
    /// <param name="done">Called when the lane is idle again.</param>
    public void Start(Func<Task> work, Action done)
    {
        _isBusy = true;
        Work = Task.Run(
            async () =>
            {
                await work().ConfigureAwait(false);
                _isBusy = false;
                done();
            },
            CancellationToken.None);
    }

    /// <summary>Another may lead it after this time, unless it is renewed.</summary>
    public void TrustFor(TimeSpan time)
    {
        if (!_over.IsCancellationRequested)
        {
            _over.CancelAfter(time > TimeSpan.Zero ? time : TimeSpan.Zero);
        }
    }

    public void End() => _over.Cancel();

    public void Dispose() => _over.Dispose();
}
