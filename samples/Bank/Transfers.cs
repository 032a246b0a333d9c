using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Bank;

/// <summary>One transfer: who, and how much.</summary>
public readonly record struct Transfer(int AccountId, int TellerId, int BranchId, int Delta);

/// <summary>How a transfer ended.</summary>
/// <param name="IsDone">False when it lost against another writer and was given up.</param>
/// <param name="Conflicts">How often it lost.</param>
public readonly record struct TransferResult(bool IsDone, int Conflicts);

/// <summary>The same transfer, saved in three ways.</summary>
public sealed class Transfers(string connectionString)
{
    private readonly PooledDbContextFactory<NaiveBankContext> _naive =
        new(new DbContextOptionsBuilder<NaiveBankContext>().UseNpgsql(connectionString).Options);

    private readonly PooledDbContextFactory<VersionedBankContext> _versioned =
        new(new DbContextOptionsBuilder<VersionedBankContext>().UseNpgsql(connectionString).UseEfConcurrency().Options);

    /// <summary>Read, change, save. Two at a time read the same balance, and one of the two changes is lost without a word.</summary>
    public async Task<TransferResult> NaiveAsync(Transfer transfer, CancellationToken cancellationToken)
    {
        await using var db = await _naive.CreateDbContextAsync(cancellationToken);
        await BookAsync(db, transfer, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return new(IsDone: true, Conflicts: 0);
    }

    /// <summary>The same, versioned: who comes too late gets an exception, and nothing of the transfer is written.</summary>
    public async Task<TransferResult> VersionedAsync(Transfer transfer, CancellationToken cancellationToken)
    {
        await using var db = await _versioned.CreateDbContextAsync(cancellationToken);
        await BookAsync(db, transfer, cancellationToken);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return new(IsDone: true, Conflicts: 0);
        }
        catch (VersionConflictException)
        {
            return new(IsDone: false, Conflicts: 1);
        }
    }

    /// <summary>Versioned with retry: who comes too late reads again, on a fresh context, and decides anew.</summary>
    public async Task<TransferResult> RetriedAsync(Transfer transfer, CancellationToken cancellationToken)
    {
        var attempts = 0;
        await _versioned.RetryOnConflictAsync(
            async (db, token) =>
            {
                attempts++;
                await BookAsync(db, transfer, token);
                await db.SaveChangesAsync(token);
            },
            ManyWriters,
            cancellationToken);
        return new(IsDone: true, Conflicts: attempts - 1);
    }

    private static readonly RetryOnConflictOptions ManyWriters = new() { MaxAttempts = 20 };

    private static async Task BookAsync(BankContext db, Transfer transfer, CancellationToken cancellationToken)
    {
        var account = await db.Accounts.SingleAsync(a => a.Id == transfer.AccountId, cancellationToken);
        var teller = await db.Tellers.SingleAsync(t => t.Id == transfer.TellerId, cancellationToken);
        var branch = await db.Branches.SingleAsync(b => b.Id == transfer.BranchId, cancellationToken);

        account.Balance += transfer.Delta;
        teller.Balance += transfer.Delta;
        branch.Balance += transfer.Delta;
        db.Bookings.Add(new Booking { AccountId = account.Id, TellerId = teller.Id, BranchId = branch.Id, Delta = transfer.Delta });
    }
}
