using System.Diagnostics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>Reports one acquisition: span and instruments. The id it gives ties the span to that of the work and to log messages.</summary>
internal sealed class LockWait : IDisposable
{
    private readonly LockRequest _request;
    private readonly Activity? _activity;
    private readonly long _started;
    private readonly Guid _id = Guid.CreateVersion7();

    public LockWait(LockRequest request)
    {
        _request = request;
        _started = request.Time.GetTimestamp();
        _activity = LockHold.StartActivity(SpanNames.LockAcquire, request.Options, _id);
        AdvisoryLocksMeter.WaitStarted(request.Options);
    }

    public LockReply Ended(LockReply reply)
    {
        var outcome = reply.How switch { "free" or "waited" => "acquired", "busy" or "timeout" => reply.How, _ => "refused" };
        return reply with { Id = _id, Waited = Report(outcome, reply.IsContended, ErrorOf(outcome)) };
    }

    public void Failed(string outcome, Exception exception)
        => Report(outcome, isContended: outcome is "deadlock" or "cancelled", outcome switch { "cancelled" => null, "failed" => exception.GetType().FullName, _ => outcome });

    public void Dispose() => _activity?.Dispose();

    /// <summary>A call that only tries asked for such an answer; any other ends with an exception.</summary>
    private string? ErrorOf(string outcome) => outcome switch
    {
        "acquired" => null,
        "busy" or "timeout" => _request.IsTry ? null : "timeout",
        _ => outcome,
    };

    private TimeSpan Report(string outcome, bool isContended, string? error)
    {
        var elapsed = _request.Time.GetElapsedTime(_started);
        _activity?.SetTag(TagNames.Outcome, outcome);
        if (error is not null)
        {
            _activity?.SetStatus(ActivityStatusCode.Error).SetTag(TagNames.ErrorType, error);
        }

        AdvisoryLocksMeter.WaitEnded(_request.Options, elapsed, outcome, isContended, error);
        if (isContended && _request.State.Logger.IsEnabled(Microsoft.Extensions.Logging.LogLevel.Debug))
        {
            AdvisoryLocksLog.Contended(_request.State.Logger, _id, _request.Keys.ToString(), outcome, elapsed.TotalMilliseconds);
        }

        return elapsed;
    }
}
