using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>An operation in two steps, one here and one at somebody else's.</summary>
internal static class PaymentInSteps
{
    /// <summary>Without a heartbeat for an hour: what happens to the claim, the test does.</summary>
    public static readonly IdempotencyOptions LongLease = new() { Lease = TimeSpan.FromHours(1) };

    /// <summary>Books, charges at somebody else's, and answers with the receipt. The list gets the downstream key of every charge; what the hooks do, happens in between.</summary>
    public static async Task<IdempotencyOutcome<string>> PayInStepsAsync(
        this LedgerDatabase ledger,
        IdempotencyKey key,
        List<string> calls,
        IdempotencyOptions? options = null,
        Func<Task>? beforeSteps = null,
        Action? duringCharge = null,
        Action? afterCharge = null,
        string? connectionString = null,
        CancellationToken? cancellationToken = null)
    {
        await using var db = ledger.Open(connectionString);
        return await db.ExecuteInPhasesAsync(
            key,
            Request,
            async (phases, token) =>
            {
                await (beforeSteps?.Invoke() ?? Task.CompletedTask);
                await phases.RunAsync("book", (context, inner) => WithdrawAsync(context, key, inner), token);
                var receipt = await phases.CallAsync(
                    "charge",
                    (downstreamKey, _) =>
                    {
                        calls.Add(downstreamKey);
                        duringCharge?.Invoke();
                        return Task.FromResult("receipt of " + downstreamKey);
                    },
                    cancellationToken: token);
                afterCharge?.Invoke();
                token.ThrowIfCancellationRequested();
                return receipt;
            },
            options,
            cancellationToken ?? TestContext.Current.CancellationToken);
    }
}
