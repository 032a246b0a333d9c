using System.Text;
using EfConcurrency.Outbox;

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>Messages on their way out.</summary>
internal static class Envelopes
{
    private static long _id;

    public static OutboxEnvelope To(string topic, string? key = null, string body = "{}", string type = "note.added.v1", IReadOnlyDictionary<string, string>? headers = null)
        => new(Interlocked.Increment(ref _id), Guid.CreateVersion7(), key, topic, type, headers ?? new Dictionary<string, string>(), Encoding.UTF8.GetBytes(body), DateTimeOffset.UnixEpoch.AddDays(20000));

    public static async Task<SendResult[]> SendAsync(this IOutboxTransport transport, params OutboxEnvelope[] messages)
    {
        var results = new SendResult[messages.Length];
        await transport.SendAsync(messages, results, TestContext.Current.CancellationToken);
        return results;
    }
}
