using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Payments.Server;

/// <summary>
/// <c>POST /accounts/{id}/withdraw</c>. The key makes a repetition get the first answer; work, key and answer are one transaction, which the endpoint opens. Two
/// different withdrawals from one account compete in one statement, which takes the money only where there is enough; it raises the version too, so that
/// a form with the old balance is refused. No lock, and no read before the write.
/// </summary>
internal static class Withdrawals
{
    public static async Task<Results<Ok<WithdrawalReceipt>, NotFound, ProblemHttpResult>> PostAsync(
        int id, Withdrawal withdrawal, ClaimsPrincipal user, BankContext db, CancellationToken cancellationToken)
    {
        var account = db.Accounts.Where(a => a.Id == id && a.Owner == user.FindFirstValue(ClaimTypes.NameIdentifier));
        if (await account.Where(a => a.Balance >= withdrawal.Amount)
            .ExecuteUpdateAsync(s => s.SetProperty(a => a.Balance, a => a.Balance - withdrawal.Amount), cancellationToken) == 0)
        {
            return await account.AnyAsync(cancellationToken)
                ? TypedResults.Problem("The balance does not allow it.", statusCode: StatusCodes.Status402PaymentRequired)
                : TypedResults.NotFound();
        }

        var entry = new LedgerEntry { AccountId = id, Amount = -withdrawal.Amount, Reference = withdrawal.Reference };
        db.Add(entry);
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(new WithdrawalReceipt(entry.Id, await account.Select(a => a.Balance).SingleAsync(cancellationToken), Guid.NewGuid()));
    }
}

/// <param name="Amount">How much.</param>
/// <param name="Reference">What the client calls it.</param>
internal sealed record Withdrawal(decimal Amount, string Reference);

/// <param name="Entry">Number in the ledger.</param>
/// <param name="Balance">What is left.</param>
/// <param name="Receipt">Different each time the work is done: a replay must show the first.</param>
internal sealed record WithdrawalReceipt(long Entry, decimal Balance, Guid Receipt);
