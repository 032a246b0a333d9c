namespace EfConcurrency.Outbox;

/// <summary>A signal for one who waits: set before or during the wait, it ends it, once.</summary>
internal sealed class OutboxWake
{
    private TaskCompletionSource _set = New();

    public void Set() => Volatile.Read(ref _set).TrySetResult();

    /// <summary>Whether it was set within the time.</summary>
    public async Task<bool> WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var set = Volatile.Read(ref _set).Task;
        if (!set.IsCompleted)
        {
            await set.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (!set.IsCompleted)
        {
            return false;
        }

        Volatile.Write(ref _set, New());
        return true;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
