using Microsoft.EntityFrameworkCore;
using Payments.Server;

namespace Payments.Storm;

/// <summary>What the ledger says in the end, beside what clients were told.</summary>
internal sealed record PaymentsCheck(int Withdrawn, int Refused, int PaidIn, int WithoutAnswer, int EffectsTwice, int EffectsMissing, int Phantoms, int DifferentReplays, int Unbalanced)
{
    public bool IsOk => (WithoutAnswer, EffectsTwice, EffectsMissing, Phantoms, DifferentReplays, Unbalanced) == (0, 0, 0, 0, 0, 0) && (Withdrawn, Refused, PaidIn) is ( > 0, > 0, > 0);

    /// <param name="db">The database.</param>
    /// <param name="clicks">What clients were told.</param>
    /// <param name="operations">All references: withdrawals begin with w, events with e.</param>
    /// <param name="opening">Balance of each account at the start.</param>
    /// <param name="cancellationToken">Ctrl+C.</param>
    public static async Task<PaymentsCheck> ReadAsync(BankContext db, Clicks clicks, IReadOnlyCollection<string> operations, decimal opening, CancellationToken cancellationToken)
    {
        var ledger = (await db.Ledger.AsNoTracking().ToListAsync(cancellationToken)).ToLookup(e => e.Reference);
        var accounts = await db.Accounts.AsNoTracking().ToListAsync(cancellationToken);
        string[] Told(string operation) => clicks.Answers.TryGetValue(operation, out var answers) ? [.. answers.Distinct()] : [];
        bool IsDone(string operation) => Array.Exists(Told(operation), a => a.StartsWith("200 ", StringComparison.Ordinal));
        bool IsWithdrawal(string operation) => operation.StartsWith('w');

        return new(
            Withdrawn: operations.Count(o => IsWithdrawal(o) && IsDone(o)),
            Refused: operations.Count(o => IsWithdrawal(o) && Told(o) is [var only] && only.StartsWith("402 ", StringComparison.Ordinal)),
            PaidIn: operations.Count(o => !IsWithdrawal(o) && IsDone(o)),
            WithoutAnswer: operations.Count(o => Told(o).Length == 0),
            EffectsTwice: ledger.Count(e => e.Count() > 1),
            EffectsMissing: operations.Count(o => IsDone(o) && !ledger.Contains(o)),
            Phantoms: ledger.Count(e => !IsDone(e.Key)),

            // An event is told "done" once and "known" afterwards: that it was done is all that its sender asks.
            DifferentReplays: operations.Count(o => IsWithdrawal(o) && Told(o).Length > 1),
            Unbalanced: accounts.Count(a => a.Balance != opening + ledger.SelectMany(e => e).Where(e => e.AccountId == a.Id).Sum(e => e.Amount)));
    }

    public override string ToString()
        => $"{Withdrawn} withdrawals, {Refused} refused for want of money, {PaidIn} payments in\n"
            + $"without answer {WithoutAnswer}, effects twice {EffectsTwice}, effects missing {EffectsMissing}, phantoms {Phantoms}, replays that differ {DifferentReplays}, accounts that do not add up {Unbalanced}";
}
