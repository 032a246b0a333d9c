using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>
/// The partition that tomorrow needs is emptied when everybody has passed it. Its messages are planted where those of the day before yesterday would be;
/// no clock is turned.
/// </summary>
public sealed class DispatchRetentionTests(DispatchDatabase fixture) : IClassFixture<DispatchDatabase>, IAsyncLifetime
{
    private const string Tomorrow = "(extract(epoch from now())::bigint / 86400 + 1) % 3";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();
    private readonly Dispatching.Messages _log = new();
    private EfConcurrency.Testing.TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.CreateDatabaseAsync();
        await DispatchDatabase.CreateTablesAsync(_database.ConnectionString);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task It_is_emptied_when_all_sinks_have_passed_it_and_the_others_stay()
    {
        var retention = Retention();
        await PlantAsync("old");
        Assert.False(await retention.EmptyAsync(Token), "Nobody has read it yet.");
        await ExecuteAsync("select enqueue('k', 'new')");
        await DeliverAsync(2);
        Assert.True(await retention.EmptyAsync(Token));
        Assert.Equal("new", await TextsAsync());
        Assert.False(await retention.EmptyAsync(Token), "It is empty.");
    }

    [Fact]
    public async Task A_sink_that_has_not_passed_it_holds_it_back_and_is_named_once_until_it_is_removed()
    {
        await PlantAsync("old");
        await DeliverAsync(1);
        await ExecuteAsync("insert into efc.outbox_cursor (sink, lane, snap) values ('abandoned', 0, '1:1:')");
        var retention = Retention();
        Assert.False(await retention.EmptyAsync(Token));
        Assert.False(await retention.EmptyAsync(Token));
        Assert.Contains("abandoned", Assert.Single(_log.Lines, l => l.Id == 60829).Text, StringComparison.Ordinal);
        Assert.Equal("old", await TextsAsync());

        await using var db = Context();
        Assert.True(await db.OutboxAdmin().RemoveSinkAsync("abandoned", Token));
        Assert.True(await retention.EmptyAsync(Token));
    }

    /// <summary>A transaction that began the day before yesterday writes there still.</summary>
    [Fact]
    public async Task What_is_written_there_and_not_committed_or_not_delivered_is_kept()
    {
        await PlantAsync("old");
        await DeliverAsync(1);
        await using var late = new NpgsqlConnection(_database.ConnectionString);
        await late.OpenAsync(Token);
        var transaction = await late.BeginTransactionAsync(Token);
        await using (var insert = new NpgsqlCommand(Plant("late"), late, transaction))
        {
            await insert.ExecuteNonQueryAsync(Token);
        }

        var retention = Retention();
        Assert.False(await retention.EmptyAsync(Token), "Its writer holds a lock.");
        await transaction.CommitAsync(Token);
        Assert.False(await retention.EmptyAsync(Token), "It is not delivered.");
        await DeliverAsync(2);
        Assert.True(await retention.EmptyAsync(Token));
    }

    [Fact]
    public async Task Two_processes_do_not_do_it_at_the_same_time()
    {
        await PlantAsync("old");
        await DeliverAsync(1);
        await using var other = new NpgsqlConnection(_database.ConnectionString);
        await other.OpenAsync(Token);
        var transaction = await other.BeginTransactionAsync(Token);
        await using (var next = new NpgsqlCommand(OutboxRetentionSql.Next, other, transaction) { Parameters = { new() { Value = "efc.outbox" } } })
        {
            Assert.NotNull(await next.ExecuteScalarAsync(Token));
        }

        Assert.False(await Retention().EmptyAsync(Token));
        await transaction.RollbackAsync(Token);
        Assert.True(await Retention().EmptyAsync(Token));
    }

    /// <summary>Partitions are emptied again and again while messages are written to them and delivered from them.</summary>
    [Fact]
    public async Task Under_load_nothing_is_lost()
    {
        await using var dispatching = await Dispatching.StartAsync(_database.ConnectionString, o => o.StartAt = OutboxStart.Beginning, _transport);
        var retention = Retention();
        using var enough = new CancellationTokenSource();
        var written = 0;
        var writing = Enumerable.Range(0, 3).Select(w => Task.Run(
            async () =>
            {
                for (var i = 0; !enough.IsCancellationRequested; i++)
                {
                    await ExecuteAsync($"select enqueue('{w}', '{w}:{i}')");
                    Interlocked.Increment(ref written);
                }
            },
            Token)).ToArray();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                await PlantAsync($"old {round}:{i}");
                Interlocked.Increment(ref written);
            }

            await Eventually.IsTrueAsync(() => retention.EmptyAsync(Token));
        }

        await enough.CancelAsync();
        await Task.WhenAll(writing);
        await Eventually.IsTrueAsync(() => _transport.Taken.Distinct().Count() == written);
    }

    private static string Plant(string text)
        => $"insert into efc.outbox (slot, lane, message_id, topic, type, payload) values ({Tomorrow}, 1, gen_random_uuid(), 't', 't', convert_to('{text}', 'utf8'))";

    private Task PlantAsync(string text) => ExecuteAsync(Plant(text));

    private DispatchContext Context() => new(new DbContextOptionsBuilder<DispatchContext>().UseNpgsql(_database.ConnectionString).UseEfConcurrency().Options);

    private OutboxRetention Retention()
    {
        using var db = Context();
        return new(OutboxDatabase.Of(db, 1), new(typeof(DispatchContext), "*", LoggerFactory.Create(l => l.AddProvider(_log))), TimeProvider.System);
    }

    /// <summary>Runs a dispatcher until that many are taken in all, and stops it, which keeps its cursors.</summary>
    private async Task DeliverAsync(int count)
    {
        await using var dispatching = await Dispatching.StartAsync(_database.ConnectionString, o => o.StartAt = OutboxStart.Beginning, _transport);
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == count);
    }

    private async Task<string> TextsAsync()
    {
        await using var db = Context();
        return string.Join(',', (await db.Set<OutboxRecord>().ToListAsync(Token)).Select(r => System.Text.Encoding.UTF8.GetString(r.Payload)));
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }
}
