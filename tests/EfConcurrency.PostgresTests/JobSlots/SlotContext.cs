using EfConcurrency.JobSlots;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.PostgresTests.JobSlots;

public sealed class SlotContext(DbContextOptions<SlotContext> options) : DbContext(options)
{
    public DbSet<Effect> Effects => Set<Effect>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasJobSlots();
}

/// <summary>What a job does.</summary>
public sealed class Effect
{
    public int Id { get; set; }

    public string Text { get; set; } = "";
}

/// <summary>A fresh database with the tables of <see cref="SlotContext"/>.</summary>
public sealed class SlotDatabase(PostgresServer server) : DatabaseFixture(server)
{
    /// <summary>A slot like any other.</summary>
    public static readonly DateTimeOffset Midnight = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public SlotContext Open(string? connectionString = null, ILoggerFactory? loggers = null)
        => new(new DbContextOptionsBuilder<SlotContext>().UseNpgsql(connectionString ?? ConnectionString).UseEfConcurrency().UseLoggerFactory(loggers).Options);

    /// <summary>Job slots whose context is gone already.</summary>
    public JobSlotStore Slots(string? connectionString = null, ILoggerFactory? loggers = null)
    {
        using var db = Open(connectionString, loggers);
        return db.JobSlots();
    }

    /// <summary>Another process: it shares no connections with this one.</summary>
    public JobSlotStore SlotsOfProcess(string name) => Slots(With(b => b.ApplicationName = name));

    public string With(Action<NpgsqlConnectionStringBuilder> change)
    {
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        change(builder);
        return builder.ConnectionString;
    }

    /// <summary>Makes the claims of a job expire, as if their lease time had passed.</summary>
    public Task ExpireAsync(string job)
        => ExecuteAsync($"update efc.job_slot set expires_at = clock_timestamp() - interval '1 second' where job = '{job}'");

    public static JobSlotHandle Handle(JobSlotResult result) => Assert.IsType<JobSlotResult.Claimed>(result).Handle;

    public static string NewJob() => Guid.NewGuid().ToString("n");
}
