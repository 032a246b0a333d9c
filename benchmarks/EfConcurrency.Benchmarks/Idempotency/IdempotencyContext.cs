using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Benchmarks.Idempotency;

/// <summary>The row of the business.</summary>
internal sealed class Account
{
    public int Id { get; set; }

    public int Balance { get; set; }
}

/// <summary>A key as it is mostly kept: an entity with its answer.</summary>
internal sealed class KeyEntity
{
    public string Scope { get; set; } = "";

    public string Key { get; set; } = "";

    public byte[] Fingerprint { get; set; } = [];

    public byte[] Response { get; set; } = [];

    public DateTimeOffset CreatedAt { get; set; }
}

internal sealed record Withdrawal(int Account, decimal Amount, string Currency);

internal sealed record Receipt(int Account, int Balance);

/// <summary>One model for all contenders; with the library, or EF as it comes.</summary>
internal sealed class IdempotencyContext(DbContextOptions<IdempotencyContext> options) : DbContext(options)
{
    private static int _balance;

    public static PooledDbContextFactory<IdempotencyContext> Plain(string connectionString) => new(Options(connectionString).Options);

    public static PooledDbContextFactory<IdempotencyContext> WithLibrary(string connectionString, ServerJudgedSaves judge = ServerJudgedSaves.WhenAvailable)
        => new((DbContextOptions<IdempotencyContext>)Options(connectionString).UseEfConcurrency(o => o.UseServerJudgedSaves(judge)).Options);

    /// <summary>The work: one row gets another value.</summary>
    public Receipt Change(int account)
    {
        var row = new Account { Id = account };
        Attach(row);
        row.Balance = Interlocked.Increment(ref _balance);
        return new(account, row.Balance);
    }

    public async Task<Receipt> ChangeAndSaveAsync(int account, CancellationToken cancellationToken = default)
    {
        var receipt = Change(account);
        await SaveChangesAsync(cancellationToken);
        return receipt;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasIdempotencyKeys();
        modelBuilder.Entity<Account>(account =>
        {
            account.ToTable("account");
            account.Property(a => a.Id).HasColumnName("id").ValueGeneratedNever();
            account.Property(a => a.Balance).HasColumnName("balance");
        });
        modelBuilder.Entity<KeyEntity>(key =>
        {
            key.ToTable("key_entity");
            key.HasKey(k => new { k.Scope, k.Key });
            key.Property(k => k.CreatedAt).HasDefaultValueSql("now()");
        });
    }

    private static DbContextOptionsBuilder<IdempotencyContext> Options(string connectionString)
        => new DbContextOptionsBuilder<IdempotencyContext>().UseNpgsql(connectionString);
}
