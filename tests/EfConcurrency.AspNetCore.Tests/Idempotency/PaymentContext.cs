using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

public class PaymentContext(DbContextOptions<PaymentContext> options) : DbContext(options)
{
    public DbSet<Payment> Payments => Set<Payment>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasIdempotencyKeys();
}

/// <summary>One row for each effect.</summary>
public class Payment
{
    public int Id { get; set; }

    public string Account { get; set; } = "";

    public decimal Amount { get; set; }
}

public sealed record PaymentInput(decimal Amount);

public sealed class PaymentDatabase(PostgresServer server) : DatabaseFixture(server)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public void Register(IServiceCollection services, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
        => services.AddDbContextPool<PaymentContext>(o => o.UseNpgsql(ConnectionString, npgsql).UseEfConcurrency());

    public PaymentContext Open() => new(new DbContextOptionsBuilder<PaymentContext>().UseNpgsql(ConnectionString).UseEfConcurrency().Options);

    /// <summary>How often the account was paid into.</summary>
    public Task<long> EffectsAsync(string account) => ScalarAsync<long>($"select count(*) from \"Payments\" where \"Account\" = '{account}'");

    public Task<long> KeysAsync(string key) => ScalarAsync<long>($"select count(*) from efc.idempotency_key where key = '{key}'");
}
