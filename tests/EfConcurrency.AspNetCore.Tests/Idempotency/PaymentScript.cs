using System.Collections.Concurrent;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>What the handler of a test does beside paying, by account.</summary>
public sealed class PaymentScript
{
    private readonly ConcurrentDictionary<string, Func<CancellationToken, Task>> _steps = new();
    private readonly ConcurrentDictionary<string, int> _runs = new();

    public void On(string account, Func<CancellationToken, Task> step) => _steps[account] = step;

    public int Runs(string account) => _runs.GetValueOrDefault(account);

    public Task RunAsync(string account, CancellationToken cancellationToken)
    {
        _runs.AddOrUpdate(account, 1, (_, n) => n + 1);
        return _steps.TryGetValue(account, out var step) ? step(cancellationToken) : Task.CompletedTask;
    }
}
