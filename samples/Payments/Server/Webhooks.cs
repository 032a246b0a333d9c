using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Payments.Server;

/// <summary>
/// <c>POST /webhooks/provider</c>: money has come in. Providers deliver an event until they are told 2xx, so it comes again when an answer was lost. The event's
/// id is accepted once, in the transaction of the change; the balance is changed by one statement, which needs no read before it.
/// </summary>
internal static class Webhooks
{
    public static async Task<Ok<string>> PostAsync(ProviderEvent payment, IDbContextFactory<BankContext> contexts, CancellationToken cancellationToken)
        => TypedResults.Ok(await contexts.RetryOnConflictAsync(
            async (db, token) =>
            {
                if (!await db.Inbox().TryAcceptAsync("provider", payment.Id, token))
                {
                    return "known";
                }

                await db.Accounts.Where(a => a.Id == payment.AccountId).ExecuteUpdateAsync(s => s.SetProperty(a => a.Balance, a => a.Balance + payment.Amount), token);
                db.Add(new LedgerEntry { AccountId = payment.AccountId, Amount = payment.Amount, Reference = payment.Id });
                await db.SaveChangesAsync(token);
                return "done";
            },
            cancellationToken: cancellationToken));
}

/// <param name="Id">The provider's id of the event.</param>
/// <param name="AccountId">Whose money.</param>
/// <param name="Amount">How much.</param>
internal sealed record ProviderEvent(string Id, int AccountId, decimal Amount);
