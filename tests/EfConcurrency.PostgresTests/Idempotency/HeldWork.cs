using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>An operation that has its claim and stands still until it is told to finish.</summary>
internal sealed class HeldWork : IAsyncDisposable
{
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _inside = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<IdempotencyOutcome<Receipt>> _running = null!;

    public static async Task<HeldWork> StartAsync(LedgerDatabase ledger, IdempotencyKey key, IdempotencyOptions? options = null)
    {
        var held = new HeldWork();
        held._running = held.RunAsync(ledger, key, options);
        await Task.WhenAny(held._inside.Task, held._running);
        Assert.True(held._inside.Task.IsCompleted, held._running.Exception?.ToString());
        return held;
    }

    public Task<IdempotencyOutcome<Receipt>> FinishAsync(Exception? failure = null)
    {
        if (failure is null)
        {
            _gate.TrySetResult();
        }
        else
        {
            _gate.TrySetException(failure);
        }

        return _running;
    }

    public async ValueTask DisposeAsync()
    {
        _gate.TrySetResult();
        await Task.WhenAny(_running);
    }

    private async Task<IdempotencyOutcome<Receipt>> RunAsync(LedgerDatabase ledger, IdempotencyKey key, IdempotencyOptions? options)
    {
        await using var db = ledger.Open();
        return await db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                _inside.TrySetResult();
                await _gate.Task;
                return await WithdrawAsync(context, key, token);
            },
            options,
            TestContext.Current.CancellationToken);
    }
}
