using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Payments.Server;

/// <summary>
/// <c>POST /accounts/{id}/withdraw</c>. The key makes a repetition get the first answer. The version makes two different withdrawals from one account
/// compete: one of them finds the balance that the other has left, and is tried again. No lock anywhere.
/// </summary>
internal static class Withdrawals
{
    public static Task<Results<Ok<WithdrawalReceipt>, NotFound, ProblemHttpResult>> PostAsync(
        int id, Withdrawal withdrawal, ClaimsPrincipal user, BankContext db, CancellationToken cancellationToken)
        => db.RetryOnConflictAsync<BankContext, Results<Ok<WithdrawalReceipt>, NotFound, ProblemHttpResult>>(
            async (db, token) =>
            {
                var account = await db.Accounts.SingleOrDefaultAsync(a => a.Id == id && a.Owner == user.FindFirstValue(ClaimTypes.NameIdentifier), token);
                if (account is null)
                {
                    return TypedResults.NotFound();
                }

                if (account.Balance < withdrawal.Amount)
                {
                    return TypedResults.Problem("The balance does not allow it.", statusCode: StatusCodes.Status402PaymentRequired);
                }

                account.Balance -= withdrawal.Amount;
                var entry = new LedgerEntry { AccountId = id, Amount = -withdrawal.Amount, Reference = withdrawal.Reference };
                db.Add(entry);
                await db.SaveChangesAsync(token);
                return TypedResults.Ok(new WithdrawalReceipt(entry.Id, account.Balance, Guid.NewGuid()));
            },
            cancellationToken: cancellationToken);
}

/// <param name="Amount">How much.</param>
/// <param name="Reference">What the client calls it.</param>
internal sealed record Withdrawal(decimal Amount, string Reference);

/// <param name="Entry">Number in the ledger.</param>
/// <param name="Balance">What is left.</param>
/// <param name="Receipt">Different each time the work is done: a replay must show the first.</param>
internal sealed record WithdrawalReceipt(long Entry, decimal Balance, Guid Receipt);
