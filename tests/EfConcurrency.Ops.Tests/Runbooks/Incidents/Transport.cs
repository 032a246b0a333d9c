using EfConcurrency.Outbox;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>A transport that answers as a test says.</summary>
internal sealed class Transport : IOutboxTransport
{
    public string Sink => "rabbitmq";

    /// <summary>The answer to each message; an exception: the transport is down.</summary>
    public Func<SendResult> Answer { get; set; } = static () => SendResult.Ok;

    public ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
    {
        for (var i = 0; i < batch.Length; i++)
        {
            results.Span[i] = Answer();
        }

        return ValueTask.CompletedTask;
    }
}
