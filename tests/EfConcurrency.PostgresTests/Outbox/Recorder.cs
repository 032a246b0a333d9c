using System.Collections.Concurrent;
using System.Text;
using EfConcurrency.Outbox;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A transport that remembers what it was given, and fails where a test says so.</summary>
internal sealed class Recorder(string? sink = null) : IOutboxTransport
{
    private readonly ConcurrentQueue<(OutboxEnvelope Envelope, SendStatus Status)> _given = new();
    private int _calls;

    public string Sink { get; } = sink ?? Guid.NewGuid().ToString();

    /// <summary>The answer for a message; a failure is that of the whole call.</summary>
    public Func<OutboxEnvelope, SendResult> Answer { get; set; } = static _ => SendResult.Ok;

    /// <summary>Awaited before each call.</summary>
    public Func<OutboxEnvelope[], CancellationToken, Task> Before { get; set; } = static (_, _) => Task.CompletedTask;

    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Texts that were taken, in order.</summary>
    public List<string> Taken => [.. _given.Where(g => g.Status == SendStatus.Ok).Select(g => Text(g.Envelope))];

    /// <summary>Texts that were given and taken or not, in order.</summary>
    public List<string> Given => [.. _given.Select(g => Text(g.Envelope))];

    public List<OutboxEnvelope> Envelopes => [.. _given.Select(g => g.Envelope)];

    public static string Text(OutboxEnvelope envelope) => Encoding.UTF8.GetString(envelope.Payload.Span);

    public async ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        await Before(batch.ToArray(), cancellationToken);
        var failed = new HashSet<string>();
        for (var i = 0; i < batch.Length; i++)
        {
            var envelope = batch.Span[i];
            if (envelope.Key is { } key && failed.Contains(key))
            {
                continue;
            }

            var answer = Answer(envelope);
            results.Span[i] = answer;
            _given.Enqueue((envelope, answer.Status));
            if (answer.Status != SendStatus.Ok && envelope.Key is not null)
            {
                failed.Add(envelope.Key);
            }
        }
    }
}
