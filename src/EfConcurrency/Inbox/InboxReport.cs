using System.Diagnostics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Messaging;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Inbox;

/// <summary>What operators see of one delivery: a span, counts, a duration.</summary>
internal sealed class InboxReport : IDisposable
{
    private readonly string _consumer;
    private readonly IReadOnlyList<InboundMessage> _messages;
    private readonly Activity? _activity;
    private readonly long _started = Stopwatch.GetTimestamp();
    private string _outcome = "cancelled";
    private Exception? _failure;

    private InboxReport(string consumer, IReadOnlyList<InboundMessage> messages, Activity? activity)
    {
        _consumer = consumer;
        _messages = messages;
        _activity = activity;
    }

    /// <summary>
    /// The span continues the trace in which the message was sent, unless it is part of another already (a transport's); then, and for a batch, it has links.
    /// https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
    /// </summary>
    public static InboxReport Start(string consumer, IReadOnlyList<InboundMessage> messages)
    {
        if (!Telemetry.Activities.HasListeners())
        {
            return new(consumer, messages, null);
        }

        ActivityContext[] producers = [.. messages.Select(Producer).Where(p => p != default)];
        var isContinued = Activity.Current is null && messages.Count == 1 && producers.Length == 1;
        var activity = Telemetry.Activities.StartActivity(
            SpanNames.InboxHandle, ActivityKind.Consumer, isContinued ? producers[0] : default, links: isContinued ? null : producers.Select(p => new ActivityLink(p)));
        activity?.SetTag(TagNames.Consumer, consumer);
        activity?.SetTag(messages.Count == 1 ? TagNames.MessageType : TagNames.MessageCount, messages.Count == 1 ? messages[0].Type : messages.Count);
        if (messages.Count == 1)
        {
            activity?.SetTag(TagNames.MessageId, messages[0].MessageId);
        }

        return new(consumer, messages, activity);
    }

    public InboxResult Ended(bool[] isNew)
    {
        for (var i = 0; i < isNew.Length; i++)
        {
            InboxMeter.Message(_consumer, _messages[i].Type, isNew[i] ? "handled" : "duplicate");
            if (!isNew[i])
            {
                InboxMeter.Duplicate(_consumer);
            }
        }

        var isHandled = isNew.Contains(true);
        _outcome = isHandled ? "handled" : "duplicate";
        return new(isHandled ? InboxOutcome.Handled : InboxOutcome.Duplicate);
    }

    public InboxResult Failed(ILogger logger, InboundMessage message, InboxOutcome outcome, Exception exception)
    {
        _outcome = outcome == InboxOutcome.Rejected ? "rejected" : "failed";
        _failure = exception;
        InboxMeter.Message(_consumer, message.Type, _outcome, exception);
        _activity.Fail(exception);
        if (outcome == InboxOutcome.Rejected)
        {
            InboxLog.Rejected(logger, _consumer, message.Type, message.MessageId, exception);
        }
        else
        {
            InboxLog.Failed(logger, _consumer, message.Type, message.MessageId, message.Attempt, exception);
        }

        return new(outcome, exception);
    }

    /// <summary>The messages of this batch are handled one by one, and counted there: this is no failure yet.</summary>
    public void Undone() => _outcome = "undone";

    public void Dispose()
    {
        InboxMeter.Handled(_consumer, _outcome, Stopwatch.GetElapsedTime(_started), _failure);
        _activity?.SetTag(TagNames.Outcome, _outcome);
        _activity?.Dispose();
    }

    private static ActivityContext Producer(InboundMessage message)
        => message.Headers.TryGetValue(MessageHeaders.TraceParent, out var parent)
            && ActivityContext.TryParse(parent, message.Headers.GetValueOrDefault(MessageHeaders.TraceState), isRemote: true, out var producer)
                ? producer
                : default;
}
