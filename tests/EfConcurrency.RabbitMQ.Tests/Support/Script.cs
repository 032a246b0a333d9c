using System.Collections.Concurrent;

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>What a handler does beside its work: gates and failures that a test sets.</summary>
internal sealed class Script
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();

    public ConcurrentQueue<string> Begun { get; } = new();

    /// <summary>Called at each attempt; may throw.</summary>
    public Action<string, int>? OnAttempt { get; set; }

    /// <summary>A handler of this text waits until the gate is opened.</summary>
    public TaskCompletionSource Close(string text) => _gates[text] = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task PlayAsync(string text, int attempt, CancellationToken cancellationToken)
    {
        Begun.Enqueue(text);
        OnAttempt?.Invoke(text, attempt);
        if (_gates.TryGetValue(text, out var gate))
        {
            await gate.Task.WaitAsync(cancellationToken);
        }
    }

    public Task UntilBegunAsync(string text, int times = 1) => Eventually.IsTrueAsync(() => Begun.Count(b => b == text) >= times);
}
