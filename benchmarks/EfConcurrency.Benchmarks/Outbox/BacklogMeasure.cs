using System.Diagnostics;
using System.Globalization;
using EfConcurrency.Outbox;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace EfConcurrency.Benchmarks.Outbox;

/// <summary>A backlog of a million messages, drained by one dispatcher: rate and memory, with and without another session that holds an old snapshot.</summary>
internal sealed class BacklogMeasure(LocalPostgres server)
{
    private const int Messages = 1_000_000;

    public async Task RunAsync(bool isSnapshotHeld, CancellationToken cancellationToken)
    {
        await using var database = await server.CreateDatabaseAsync(cancellationToken);
        await using var holder = new NpgsqlConnection(database.ConnectionString);
        await using (var db = new BacklogContext(database.ConnectionString))
        {
            await db.Database.EnsureCreatedAsync(cancellationToken);
            await holder.OpenAsync(cancellationToken);
            await using var transaction = isSnapshotHeld ? await holder.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken) : null;
            if (isSnapshotHeld)
            {
                await using var look = new NpgsqlCommand("select count(*) from efc.outbox", holder, transaction);
                await look.ExecuteScalarAsync(cancellationToken);
            }

            db.Database.SetCommandTimeout(600);
            await db.Database.ExecuteSqlAsync(
                $"insert into efc.outbox (lane, message_id, key, topic, type, payload) select i % 16, gen_random_uuid(), 'k' || i % 1000, 't', 't', convert_to(repeat('x', 200), 'utf8') from generate_series(1, {Messages}) i",
                cancellationToken);
            await DrainAsync(database.ConnectionString, isSnapshotHeld, cancellationToken);
        }
    }

    private static async Task DrainAsync(string connectionString, bool isSnapshotHeld, CancellationToken cancellationToken)
    {
        var sink = new Sink();
        await using var services = new ServiceCollection().AddLogging().AddDbContext<BacklogContext>(_ => { }).AddSingleton(connectionString)
            .AddSingleton<IOutboxTransport>(sink).AddOutboxDispatcher<BacklogContext>().BuildServiceProvider();
        var dispatcher = services.GetServices<IHostedService>().Single();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var most = 0L;
        var clock = Stopwatch.StartNew();
        await dispatcher.StartAsync(cancellationToken);
        for (var tenth = 1; tenth <= 10; tenth++)
        {
            while (sink.Taken < Messages / 10 * tenth)
            {
                await Task.Delay(5, cancellationToken);
            }

            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"- 1,000,000 messages, {(isSnapshotHeld ? "an old snapshot held open by another session" : "no old snapshot")}: {Messages / clock.Elapsed.TotalSeconds:N0} messages/s, live memory at most {most / 1048576.0:F1} MiB above the start"));
        await dispatcher.StopAsync(cancellationToken);
    }

    private sealed class BacklogContext(string connectionString) : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) => optionsBuilder.UseNpgsql(connectionString).UseEfConcurrency();

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasOutbox();
    }

    private sealed class Sink : IOutboxTransport
    {
        private int _taken;

        public int Taken => Volatile.Read(ref _taken);

        string IOutboxTransport.Sink => "backlog";

        public ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
        {
            results.Span.Fill(SendResult.Ok);
            Interlocked.Add(ref _taken, batch.Length);
            return ValueTask.CompletedTask;
        }
    }
}
