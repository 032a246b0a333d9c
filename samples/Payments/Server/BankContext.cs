using Microsoft.EntityFrameworkCore;

namespace Payments.Server;

/// <summary>Accounts, and the ledger of what happened to them.</summary>
public sealed class BankContext(DbContextOptions<BankContext> options) : DbContext(options)
{
    public DbSet<Account> Accounts => Set<Account>();

    public DbSet<LedgerEntry> Ledger => Set<LedgerEntry>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasIdempotencyKeys().HasInbox();
        modelBuilder.Entity<Account>().HasVersion(a => a.Version);
    }
}

public sealed class Account
{
    public int Id { get; set; }

    public required string Owner { get; set; }

    public decimal Balance { get; set; }

    public long Version { get; private set; }
}

/// <summary>One movement. There is no unique constraint: the demo counts what the patterns alone let through.</summary>
public sealed class LedgerEntry
{
    public long Id { get; set; }

    public int AccountId { get; set; }

    public decimal Amount { get; set; }

    /// <summary>What the client calls the operation: a withdrawal's number, an event's id.</summary>
    public required string Reference { get; set; }
}
