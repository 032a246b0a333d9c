using System.Diagnostics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>Reports how long a lock is held, and gives the work its span.</summary>
internal sealed class LockHold : IDisposable
{
    private readonly LockRequest _request;
    private readonly Activity? _activity;
    private readonly long _started;
    private readonly Guid? _callersTransaction;

    /// <param name="request">The call.</param>
    /// <param name="id">The acquisition.</param>
    /// <param name="callersTransaction">The transaction of the caller that ends the lock, long after the work; null: the lock ends with this.</param>
    public LockHold(LockRequest request, Guid id, Guid? callersTransaction = null)
    {
        _request = request;
        _callersTransaction = callersTransaction;
        _started = request.Time.GetTimestamp();
        _activity = StartActivity(SpanNames.LockHold, request.Options, id);
    }

    public static Activity? StartActivity(string name, AdvisoryLockOptions options, Guid id)
        => Telemetry.Activities.StartActivity(name)?
            .SetTag(TagNames.LockId, id)
            .SetTag(TagNames.LockResource, options.Resource)
            .SetTag(TagNames.LockMode, AdvisoryLocksMeter.Name(options.Mode))
            .SetTag(TagNames.LockScope, AdvisoryLocksMeter.Name(options.Scope));

    public void Dispose()
    {
        _activity?.Dispose();
        if (_callersTransaction is { } transaction)
        {
            _request.State.HeldUntilEndOf(transaction, _request.Options, _started);
        }
        else
        {
            AdvisoryLocksMeter.Held(_request.Options, _request.Time.GetElapsedTime(_started));
        }
    }
}
