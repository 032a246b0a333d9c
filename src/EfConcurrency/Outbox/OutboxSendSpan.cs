using System.Diagnostics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Messaging;

namespace EfConcurrency.Outbox;

/// <summary>The span of one call of a transport, with links to the spans in which its messages were enqueued.</summary>
internal readonly struct OutboxSendSpan : IDisposable
{
    /// <summary>Exporters keep 128 by default.</summary>
    private const int MaxLinks = 128;

    private readonly string _sink;
    private readonly Activity? _activity;

    private OutboxSendSpan(string sink, Activity? activity)
    {
        _sink = sink;
        _activity = activity;
    }

    public static OutboxSendSpan Start(string sink, OutboxEnvelope[] batch)
    {
        if (!Telemetry.Activities.HasListeners())
        {
            return new(sink, null);
        }

        var activity = Telemetry.Activities.StartActivity($"send {sink}", ActivityKind.Producer, parentContext: default, links: Links(batch));
        activity?.SetTag("messaging.operation.name", "send").SetTag("messaging.operation.type", "send");
        activity?.SetTag("messaging.destination.name", sink).SetTag("messaging.batch.message_count", batch.Length);
        return new(sink, activity);
    }

    public void Sent(TimeSpan time, Exception? failure)
    {
        OutboxMeter.Sent(_sink, time, failure);
        if (failure is not null)
        {
            _activity.Fail(failure, failure.Message);
        }
    }

    public void Dispose() => _activity?.Dispose();

    private static List<ActivityLink> Links(OutboxEnvelope[] batch)
    {
        var links = new List<ActivityLink>();
        foreach (var envelope in batch)
        {
            if (links.Count < MaxLinks
                && envelope.Headers.TryGetValue(MessageHeaders.TraceParent, out var parent)
                && ActivityContext.TryParse(parent, envelope.Headers.GetValueOrDefault(MessageHeaders.TraceState), isRemote: true, out var context))
            {
                links.Add(new(context));
            }
        }

        return links;
    }
}
