namespace EfConcurrency.Messaging;

/// <summary>Names of headers that the library writes and understands.</summary>
public static class MessageHeaders
{
    /// <summary>The span in which the message was enqueued (W3C Trace Context).</summary>
    /// <value><c>traceparent</c></value>
    public const string TraceParent = "traceparent";

    /// <summary>The vendors' part of <see cref="TraceParent"/>.</summary>
    /// <value><c>tracestate</c></value>
    public const string TraceState = "tracestate";

    /// <summary>Media type of the payload.</summary>
    /// <value><c>content-type</c></value>
    public const string ContentType = "content-type";

    /// <summary>What CloudEvents 1.0 attributes begin with in binary mode: <c>ce-id</c>, <c>ce-source</c>, <c>ce-type</c>, <c>ce-specversion</c> …</summary>
    /// <value><c>ce-</c></value>
    public const string CloudEventsPrefix = "ce-";
}
