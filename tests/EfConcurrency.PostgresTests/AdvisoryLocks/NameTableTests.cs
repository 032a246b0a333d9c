using EfConcurrency.AdvisoryLocks;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

public sealed class NamedContext(DbContextOptions<NamedContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.HasAdvisoryLockNames(o =>
        {
            o.Schema = "Ops";
            o.Table = "lock \"names\"";
        });
}

public sealed class NameTableTests(NameTableTests.Database database) : IClassFixture<NameTableTests.Database>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_is_known_when_no_statement_shows_it()
    {
        AdvisoryKey key = AdvisoryKey.Of("nightly", "reports");
        await using var db = database.Open();
        await db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, cancellationToken: Token);
        await using var holder = await database.HoldAsync(key);

        Assert.Equal("reports/nightly", Assert.Single(await db.GetLockHoldersAsync(Token), h => h.Key == key).Name);
        var row = await db.Set<AdvisoryLockName>().SingleAsync(n => n.Key == key.Number, Token);
        Assert.Equal(("reports", "nightly"), (row.Namespace, row.Name));
        Assert.NotEqual(default, row.FirstUsedAt);
    }

    [Fact]
    public async Task A_name_costs_its_statement_once()
    {
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        await db.WithAdvisoryLockAsync(["once", "twice"], (_, _) => Task.CompletedTask, cancellationToken: Token);
        var trips = proxy.CountRoundTrips();
        await db.WithAdvisoryLockAsync(["once", "twice"], (_, _) => Task.CompletedTask, cancellationToken: Token);
        Assert.Equal(2, trips.Count); // BEGIN and lock, COMMIT
    }

    [Fact]
    public async Task Two_names_with_one_number_are_told_also_across_processes()
    {
        var first = AdvisoryKey.Of("first");
        var second = new AdvisoryKey(first.Number, isPair: false, "second", "");
        await using var db = database.Open();
        await db.WithAdvisoryLockAsync(first, (_, _) => Task.CompletedTask, cancellationToken: Token);

        var error = await Assert.ThrowsAsync<AdvisoryKeyCollisionException>(() => db.WithAdvisoryLockAsync(second, (_, _) => Task.CompletedTask, cancellationToken: Token));
        Assert.Equal(("first", "second"), (error.First.Name, error.Second.Name));
    }

    [Fact]
    public async Task Shared_holders_do_not_wait_for_each_others_row()
    {
        var options = new AdvisoryLockOptions { Mode = AdvisoryLockMode.Shared };
        await using var db = database.Open();
        await using var other = database.Open();
        await db.WithAdvisoryLockAsync("shared", (_, token) => other.WithAdvisoryLockAsync("shared", (_, _) => Task.CompletedTask, options, token), options, Token);
    }

    [Fact]
    public async Task A_missing_table_is_told_with_what_to_do()
    {
        await using var empty = await database.CreateDatabaseAsync();
        await using var db = database.Open(empty.ConnectionString);
        foreach (var call in (Func<Task>[])[() => db.WithAdvisoryLockAsync("x", (_, _) => Task.CompletedTask, cancellationToken: Token), () => db.GetLockHoldersAsync(Token)])
        {
            var error = await Assert.ThrowsAsync<InvalidOperationException>(call);
            Assert.Contains("HasAdvisoryLockNames()", error.Message, StringComparison.Ordinal);
            Assert.Contains("migration", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_role_that_may_not_write_names_gets_its_lock()
    {
        var role = "reader_" + Guid.NewGuid().ToString("n")[..8];
        await database.ExecuteAsync($"create role {role} login; grant usage on schema \"Ops\" to {role}");
        await using var proxy = database.StartProxy(c => c.Username = role);
        await using var db = database.Open(proxy.ConnectionString);
        Assert.Equal(1, await db.WithAdvisoryLockAsync("read only", (_, _) => Task.FromResult(1), cancellationToken: Token));

        var trips = proxy.CountRoundTrips();
        await db.WithAdvisoryLockAsync("read only", (_, _) => Task.CompletedTask, cancellationToken: Token);
        Assert.Equal(2, trips.Count); // not tried again
    }

    public sealed class Database(PostgresServer server) : LockDatabase(server)
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await using var db = Open();
            await ExecuteAsync(db.Database.GenerateCreateScript());
        }

        public NamedContext Open(string? connectionString = null)
            => new(new DbContextOptionsBuilder<NamedContext>().UseNpgsql(connectionString ?? ConnectionString).UseEfConcurrency().Options);
    }
}
