using System.Diagnostics;
using System.Globalization;
using EfConcurrency.Outbox;
using Npgsql;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A backlog of a million, measured when asked for by name: memory, and the rate with and without an old snapshot held open.</summary>
public sealed class DispatchMeasure(DispatchDatabase database) : IClassFixture<DispatchDatabase>
{
    private const int Count = 1_000_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Explicit = true)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_million_is_drained_in_flat_memory(bool isSnapshotHeld)
    {
        var sink = new Counter();
        await using (await Dispatching.StartAsync(database, sink))
        {
        }

        await using var holder = new NpgsqlConnection(database.ConnectionString);
        await holder.OpenAsync(Token);
        await using var transaction = await holder.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token);
        if (isSnapshotHeld)
        {
            await using var look = new NpgsqlCommand("select count(*) from efc.outbox", holder, transaction);
            await look.ExecuteScalarAsync(Token);
        }

        await database.ExecuteAsync($"insert into efc.outbox (lane, message_id, key, topic, type, payload) select i % 4, gen_random_uuid(), 'k' || i % 1000, 't', 't', convert_to(repeat('x', 200), 'utf8') from generate_series(1, {Count}) i");
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clock = Stopwatch.StartNew();
        var lines = new List<string>();
        await using var dispatching = await Dispatching.StartAsync(database.ConnectionString, null, sink);
        for (var tenth = 1; tenth <= 10; tenth++)
        {
            while (sink.Taken < Count / 10 * tenth)
            {
                await Task.Delay(5, Token);
            }

            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{tenth * 10} %: {clock.Elapsed.TotalSeconds:F1} s, live memory +{(GC.GetTotalMemory(forceFullCollection: true) - before) / 1048576.0:F1} MiB"));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"snapshot held: {isSnapshotHeld}, {Count / clock.Elapsed.TotalSeconds:F0} messages/s\n{string.Join('\n', lines)}");
    }

    private sealed class Counter : IOutboxTransport
    {
        private int _taken;

        public string Sink { get; } = Guid.NewGuid().ToString();

        public int Taken => Volatile.Read(ref _taken);

        public ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
        {
            results.Span.Fill(SendResult.Ok);
            Interlocked.Add(ref _taken, batch.Length);
            return ValueTask.CompletedTask;
        }
    }
}
