using EfConcurrency.AspNetCore.Health;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.Leases;
using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace EfConcurrency.AspNetCore.Tests.Health;

/// <summary>The health check, on real servers.</summary>
public sealed class HealthTests(OrderDatabase database) : IClassFixture<OrderDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_primary_with_the_right_time_is_healthy()
    {
        var entry = await CheckAsync(database.ConnectionString);
        Assert.True(entry.Status == HealthStatus.Healthy, entry.Description);
        Assert.Equal("primary", entry.Data["server.role"]);
        Assert.Equal((false, "none"), (entry.Data["server.pooler"], entry.Data["server.pooler_mode"]));
        Assert.Equal(0, entry.Data["leases.abandoned"]);
    }

    [Fact]
    public async Task A_server_that_takes_no_writes_is_unhealthy()
    {
        var readOnly = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = "-c default_transaction_read_only=on" };
        var entry = await CheckAsync(readOnly.ConnectionString);
        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Contains("read-only", entry.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_standby_is_unhealthy()
    {
        await using var primary = await LocalPostgres.StartAsync(cancellationToken: Token);
        await using var standby = await primary.StartStandbyAsync(cancellationToken: Token);
        var entry = await CheckServerAsync(standby.ConnectionString);
        Assert.Equal((HealthStatus.Unhealthy, "standby"), (entry.Status, entry.Data["server.role"]));
        Assert.Contains("standby", entry.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-10, "behind")]
    [InlineData(10, "ahead")]
    public async Task A_clock_that_differs_is_told(int seconds, string word)
    {
        var entry = await CheckAsync(database.ConnectionString, time: new ShiftedTime(TimeSpan.FromSeconds(seconds)));
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains(word, entry.Description, StringComparison.Ordinal);
        Assert.InRange(Math.Abs((double)entry.Data["server.clock_skew_ms"]), 9_000, 11_000);
    }

    [Fact]
    public async Task A_pooler_is_found_and_is_a_problem_where_none_is_expected()
    {
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, "transaction");
        var allowed = await CheckAsync(pooler.ConnectionString);
        Assert.True(allowed.Status == HealthStatus.Healthy, allowed.Description);
        Assert.Equal(true, allowed.Data["server.pooler"]);
        Assert.Equal(HealthStatus.Degraded, (await CheckAsync(pooler.ConnectionString, o => o.AllowPooler = false)).Status);
    }

    [Theory]
    [InlineData("transaction", HealthStatus.Degraded)]
    [InlineData("session", HealthStatus.Healthy)]
    public async Task How_a_pooler_pools_is_found_out(string poolMode, HealthStatus status)
    {
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, poolMode);
        var entry = await CheckServerAsync(pooler.ConnectionString, o => o.AllowTransactionPooling = false);
        Assert.Equal((status, poolMode), (entry.Status, entry.Data["server.pooler_mode"]));
        Assert.Equal(HealthStatus.Healthy, (await CheckServerAsync(pooler.ConnectionString)).Status);
    }

    [Fact]
    public async Task A_pooler_whose_server_connections_are_all_taken_is_not_waited_for()
    {
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, "session", poolSize: 1);
        var entry = await CheckServerAsync(pooler.ConnectionString, o => o.AllowTransactionPooling = false);
        Assert.Equal((HealthStatus.Healthy, "unknown"), (entry.Status, entry.Data["server.pooler_mode"]));
    }

    [Fact]
    public async Task A_lease_whose_holder_is_gone_is_told()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using (var db = database.Open(own.ConnectionString))
        {
            await db.Database.EnsureCreatedAsync(Token);
            var taken = await db.Leases().TryAcquireAsync("nightly", new LeaseOptions { KeepAlive = false }, Token);
            Assert.Equal(LeaseOutcome.Acquired, taken.Outcome);
            Assert.Equal(1, (await CheckAsync(own.ConnectionString)).Data["leases.held"]);
            await db.Database.ExecuteSqlRawAsync("update efc.lease set acquired_at = acquired_at - interval '1 hour', renewed_at = renewed_at - interval '1 hour', expires_at = expires_at - interval '1 hour'", Token);
        }

        var entry = await CheckAsync(own.ConnectionString);
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains("'nightly'", entry.Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(own.ConnectionString, o => o.MaxAbandonedLeaseAge = TimeSpan.FromDays(1))).Status);
    }

    [Fact]
    public async Task An_operation_that_nobody_ends_is_told()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var db = database.Open(own.ConnectionString);
        await db.Database.EnsureCreatedAsync(Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.ExecuteInPhasesAsync<OrderContext, string, int>(
            new("tests", "stuck"), "request", (_, _) => throw new InvalidOperationException("planted"), options: null, Token));
        Assert.Equal(0L, (await CheckAsync(own.ConnectionString)).Data["idempotency.stuck"]);

        var entry = await CheckAsync(own.ConnectionString, o => o.MaxStuckKeyAge = TimeSpan.Zero);
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains("ListStuckAsync", entry.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_that_is_not_delivered_is_told()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using (var db = new MailContext(MailContext.Configure(new DbContextOptionsBuilder<MailContext>(), own.ConnectionString).Options))
        {
            await db.Database.EnsureCreatedAsync(Token);
            db.Outbox().Enqueue(new Mail("hello"));
            await db.SaveChangesAsync(Token);
        }

        await using var app = await TestApp.StartAsync(own.ConnectionString, _ => { }, s =>
        {
            s.AddDbContext<MailContext>(o => MailContext.Configure(o, own.ConnectionString));
            s.AddSingleton<IOutboxTransport, DownTransport>().AddOutboxDispatcher<MailContext>();
            s.AddHealthChecks().AddEfConcurrency<MailContext>(o => o.MaxOutboxAge = TimeSpan.Zero);
        });
        HealthReport? report = null;
        await Eventually.IsTrueAsync(async () => (report = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Status == HealthStatus.Degraded);
        Assert.Contains("'down'", Assert.Single(report!.Entries).Value.Description, StringComparison.Ordinal);
        Assert.Equal(0L, report.Entries.Single().Value.Data["outbox.down.dead"]);
    }

    [Fact]
    public async Task Dead_letters_are_told()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var db = new MailContext(MailContext.Configure(new DbContextOptionsBuilder<MailContext>(), own.ConnectionString).Options);
        await db.Database.EnsureCreatedAsync(Token);
        await using var app = await TestApp.StartAsync(own.ConnectionString, _ => { }, s =>
        {
            s.AddDbContext<MailContext>(o => MailContext.Configure(o, own.ConnectionString));
            s.AddSingleton<IOutboxTransport, RefusingTransport>().AddOutboxDispatcher<MailContext>();
            s.AddHealthChecks().AddEfConcurrency<MailContext>(name: "strict").AddEfConcurrency<MailContext>(o => o.MaxDeadLetters = 1, name: "lax");
        });
        db.Outbox().Enqueue(new Mail("refused"));
        await db.SaveChangesAsync(Token);

        HealthReport? report = null;
        await Eventually.IsTrueAsync(async () => (report = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Entries["strict"].Status == HealthStatus.Degraded);
        Assert.Contains("1 message(s) for 'refusing' are dead letters", report!.Entries["strict"].Description, StringComparison.Ordinal);
        Assert.Equal((HealthStatus.Healthy, 1L), (report.Entries["lax"].Status, report.Entries["lax"].Data["outbox.refusing.dead"]));
    }

    [Fact]
    public async Task A_missing_table_and_a_missing_server_are_unhealthy()
    {
        await using var empty = await database.CreateDatabaseAsync();
        var entry = await CheckAsync(empty.ConnectionString);
        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Contains("HasLeases", entry.Description, StringComparison.Ordinal);

        var nowhere = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Port = 1, Timeout = 2 };
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(nowhere.ConnectionString)).Status);
    }

    [Fact]
    public void Options_that_make_no_sense_are_named()
        => Assert.Contains("MaxClockSkew", Assert.Throws<ArgumentOutOfRangeException>(() => new ServiceCollection().AddHealthChecks().AddEfConcurrency<OrderContext>(o => o.MaxClockSkew = TimeSpan.Zero)).Message, StringComparison.Ordinal);

    /// <summary>By a context that has nothing to look at but the server, so that nothing else takes a connection.</summary>
    private static async Task<HealthReportEntry> CheckServerAsync(string connectionString, Action<EfConcurrencyHealthOptions>? configure = null)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddDbContext<EmptyContext>(o => o.UseNpgsql(connectionString).UseEfConcurrency());
        services.AddHealthChecks().AddEfConcurrency<EmptyContext>(configure, name: "server");
        await using var provider = services.BuildServiceProvider();
        return (await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Entries["server"];
    }

    private static async Task<HealthReportEntry> CheckAsync(string connectionString, Action<EfConcurrencyHealthOptions>? configure = null, TimeProvider? time = null)
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(time ?? TimeProvider.System);
        services.AddDbContext<OrderContext>(o => o.UseNpgsql(connectionString).UseEfConcurrency());
        services.AddHealthChecks().AddEfConcurrency<OrderContext>(configure);
        await using var provider = services.BuildServiceProvider();
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token);
        return Assert.Single(report.Entries, e => e.Key == "efconcurrency-OrderContext").Value;
    }

    public sealed record Mail(string Text);

    public sealed class MailContext(DbContextOptions<MailContext> options) : DbContext(options)
    {
        public static TBuilder Configure<TBuilder>(TBuilder builder, string connectionString)
            where TBuilder : DbContextOptionsBuilder
        {
            builder.UseNpgsql(connectionString).UseEfConcurrency(o => o.UseMessages(m => m.Add<Mail>("mail.v1")));
            return builder;
        }

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasOutbox();
    }

    private sealed class EmptyContext(DbContextOptions<EmptyContext> options) : DbContext(options);

    private sealed class RefusingTransport : IOutboxTransport
    {
        public string Sink => "refusing";

        public ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
        {
            results.Span.Fill(new(SendStatus.Reject));
            return ValueTask.CompletedTask;
        }
    }

    private sealed class DownTransport : IOutboxTransport
    {
        public string Sink => "down";

        public ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
            => throw new InvalidOperationException("planted");
    }
}
