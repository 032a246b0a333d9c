using System.Text.Json;
using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using Microsoft.Extensions.DependencyInjection;

namespace OutboxHost;

/// <summary>Planted fault: what is delivered again has its effect again.</summary>
internal sealed class InboxlessTransport(IServiceScopeFactory scopes) : IOutboxTransport
{
    public string Sink => "storm";

    public static async Task HandleAsync(IServiceScopeFactory scopes, string messageId, string? key, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<StormContext>();
        var message = JsonSerializer.Deserialize<ItemChanged>(payload.Span, JsonSerializerOptions.Web)!;
        await new ItemChangedHandler(db).HandleAsync(message, new("storm", messageId, "item.changed.v1", key, new Dictionary<string, string>(), 1), cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
    }

    public async ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
    {
        for (var i = 0; i < batch.Length; i++)
        {
            var envelope = batch.Span[i];
            await HandleAsync(scopes, envelope.MessageId.ToString(), envelope.Key, envelope.Payload, cancellationToken);
            results.Span[i] = SendResult.Ok;
        }
    }
}
