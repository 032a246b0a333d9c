using System.Collections.Concurrent;
using System.Diagnostics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.PostgresTests.Support;

/// <summary>Keeps the library's spans of the test that makes it, and none of the tests beside it.</summary>
internal sealed class SpanLog : IDisposable
{
    private readonly AsyncLocal<bool> _isMine = new() { Value = true };
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ActivityListener _listener;

    public SpanLog()
    {
        _listener = new()
        {
            ShouldListenTo = s => s.Name == EfConcurrencyDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => _isMine.Value ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStopped = span =>
            {
                // Another listener may have asked for the spans of all tests.
                if (_isMine.Value)
                {
                    _spans.Enqueue(span);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyCollection<Activity> Spans => _spans;

    public void Dispose() => _listener.Dispose();
}
