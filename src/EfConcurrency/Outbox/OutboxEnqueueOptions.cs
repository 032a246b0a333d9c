using System.Reflection;

namespace EfConcurrency.Outbox;

/// <summary>What messages are given on their way into the outbox, and how large they may be. For <c>UseEfConcurrency(o => o.UseOutbox(…))</c>.</summary>
public sealed class OutboxEnqueueOptions
{
    /// <summary>
    /// Where the messages come from: <c>ce-source</c> of CloudEvents, a URI reference such as <c>/shop/orders</c>.
    /// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#source-1
    /// </summary>
    /// <value>The name of the application's assembly.</value>
    public string Source { get; set; } = Uri.EscapeDataString(Assembly.GetEntryAssembly()?.GetName().Name ?? "efconcurrency");

    /// <summary>Whether messages get the attributes of CloudEvents 1.0 as headers. They cost some 200 bytes a message.</summary>
    /// <value>true</value>
    public bool CloudEvents { get; set; } = true;

    /// <summary>
    /// Largest payload in bytes, up to 64 MiB. A message tells what happened and where to read on; a document belongs into a table or a store of objects,
    /// and its address into the message.
    /// </summary>
    /// <value>262,144 (256 KiB)</value>
    public int MaxPayloadBytes { get; set; } = 256 * 1024;
}
