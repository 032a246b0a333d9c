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
        _activity = LockHold.StartActivity("efconcurrency.advisory_lock.acquire", request.Options, _id);
        AdvisoryLocksMeter.WaitStarted(request.Options);
    }

    public LockReply Ended(LockReply reply)
    {
        var outcome = reply.How switch { "free" or "waited" => "acquired", "busy" or "timeout" => reply.How, _ => "refused" };
        return reply with { Id = _id, Waited = Report(outcome, reply.IsContended) };
    }

    public void Failed(string outcome, Exception exception)
    {
        _activity?.SetStatus(ActivityStatusCode.Error).SetTag(TagNames.ErrorType, exception.GetType().FullName);
        Report(outcome, isContended: outcome is "deadlock" or "cancelled");
    }

    public void Dispose() => _activity?.Dispose();

    private TimeSpan Report(string outcome, bool isContended)
    {
        var elapsed = _request.Time.GetElapsedTime(_started);
        _activity?.SetTag(TagNames.Outcome, outcome);
        AdvisoryLocksMeter.WaitEnded(_request.Options, elapsed, outcome, isContended);
        if (isContended && _request.State.Logger.IsEnabled(Microsoft.Extensions.Logging.LogLevel.Debug))
        {
            AdvisoryLocksLog.Contended(_request.State.Logger, _id, _request.Keys.ToString(), outcome, elapsed.TotalMilliseconds);
        }

        return elapsed;
    }
}
