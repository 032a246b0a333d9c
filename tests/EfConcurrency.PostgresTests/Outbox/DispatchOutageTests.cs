using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>Servers restart and change, networks break, processes stop; what is committed arrives.</summary>
public sealed class DispatchOutageTests(DispatchDatabase database) : IClassFixture<DispatchDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();

    [Fact]
    public async Task A_server_that_restarts_or_crashes_is_waited_for()
    {
        await using var server = await LocalPostgres.StartAsync(cancellationToken: Token);
        await using var own = await server.CreateDatabaseAsync(Token);
        await DispatchDatabase.CreateTablesAsync(own.ConnectionString);
        await using var dispatching = await Dispatching.StartAsync(own.ConnectionString, o => o.StartAt = OutboxStart.Beginning, _transport);
        await EnqueueAsync(own.ConnectionString, "1");
        await Eventually.IsTrueAsync(() => _transport.Taken.Contains("1"));
        await server.RestartAsync(Token);
        await EnqueueAsync(own.ConnectionString, "2");
        await Eventually.IsTrueAsync(() => _transport.Taken.Contains("2"));
        await server.KillAsync(Token);
        await server.StartAgainAsync(Token);
        await EnqueueAsync(own.ConnectionString, "3");
        await Eventually.IsTrueAsync(() => _transport.Taken.Contains("3"));
        Assert.Equal(["1", "2", "3"], _transport.Taken.Distinct());
    }

    [Fact]
    public async Task A_standby_that_is_promoted_is_gone_on_with()
    {
        await using var primary = await LocalPostgres.StartAsync(cancellationToken: Token);
        var own = await primary.CreateDatabaseAsync(Token);
        await DispatchDatabase.CreateTablesAsync(own.ConnectionString);
        await using var standby = await primary.StartStandbyAsync(cancellationToken: Token);
        var first = new NpgsqlConnectionStringBuilder(own.ConnectionString);
        var second = new NpgsqlConnectionStringBuilder(standby.ConnectionString) { Database = first.Database };
        var both = new NpgsqlConnectionStringBuilder(own.ConnectionString) { Host = $"{first.Host}:{first.Port},{second.Host}:{second.Port}" };
        await using var dispatching = await Dispatching.StartAsync(both.ConnectionString, o => o.StartAt = OutboxStart.Beginning, _transport);
        await EnqueueAsync(own.ConnectionString, "1");
        await Eventually.IsTrueAsync(() => _transport.Taken.Contains("1"));
        await standby.CatchUpAsync(Token);
        await primary.KillAsync(Token);
        await standby.PromoteAsync(Token);
        await EnqueueAsync(second.ConnectionString, "2");
        await Eventually.IsTrueAsync(() => _transport.Taken.Contains("2"));
    }

    [Fact]
    public async Task A_network_that_breaks_in_the_middle_of_a_send_loses_nothing()
    {
        await using var proxy = database.StartProxy();
        var cuts = 0;
        _transport.Before = (_, _) =>
        {
            if (Interlocked.Increment(ref cuts) <= 3)
            {
                proxy.CutAll();
            }

            return Task.CompletedTask;
        };
        await using var dispatching = await Dispatching.StartAsync(database, _transport, connectionString: proxy.ConnectionString);
        for (var i = 0; i < 5; i++)
        {
            var expected = i + 1;
            await database.ExecuteAsync($"select enqueue('k', '{i}')");
            await Eventually.IsTrueAsync(() => _transport.Taken.Distinct().Count() == expected);
        }

        Assert.Equal(["0", "1", "2", "3", "4"], _transport.Taken.Distinct());
        Assert.True(cuts >= 3);
    }

    [Fact]
    public async Task On_stop_what_is_being_sent_is_finished_and_kept()
    {
        var sending = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        _transport.Before = async (_, over) =>
        {
            sending.TrySetResult();
            await mayEnd.Task;
            Assert.False(over.IsCancellationRequested);
        };
        var first = await Dispatching.StartAsync(database, _transport);
        await database.ExecuteAsync("select enqueue('k', '1'), enqueue('k', '2')");
        await sending.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        var stopping = first.StopAsync();
        Assert.False(stopping.IsCompleted);
        mayEnd.SetResult();
        await stopping;
        Assert.Equal(["1", "2"], _transport.Taken);

        await using var second = await Dispatching.StartAsync(database, _transport);
        await database.ExecuteAsync("select enqueue('k', '3')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 3);
        Assert.Equal(["1", "2", "3"], _transport.Taken);
        await first.DisposeAsync();
    }

    [Fact]
    public async Task A_stop_that_takes_too_long_cancels_the_transport_and_the_next_dispatcher_sends_it()
    {
        var sending = new TaskCompletionSource();
        _transport.Before = (_, over) =>
        {
            sending.TrySetResult();
            return Task.Delay(Timeout.Infinite, over);
        };
        var first = await Dispatching.StartAsync(database, _transport);
        await database.ExecuteAsync("select enqueue('k', '1')");
        await sending.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        await first.Service.StopAsync(new CancellationToken(canceled: true));
        await first.DisposeAsync();

        _transport.Before = static (_, _) => Task.CompletedTask;
        await using var second = await Dispatching.StartAsync(database.ConnectionString, null, _transport);
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
    }

    [Fact]
    public async Task Behind_a_transaction_pooler_it_polls()
    {
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, "transaction");
        var before = await database.ScalarAsync<DateTime>("select clock_timestamp()");
        await using var dispatching = await Dispatching.StartAsync(database, _transport, o => o.Notify = true, pooler.ConnectionString);
        await database.ExecuteAsync("select enqueue('k', i::text) from generate_series(1, 5) i");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 5);
        Assert.Equal(0, await database.ScalarAsync<long>($"select count(*) from pg_stat_activity where datname = current_database() and query like '%outbox.listen%' and query_start > '{before:O}' and pid <> pg_backend_pid()"));
        Assert.DoesNotContain(dispatching.Log.Lines, l => l.Id == 60826);
    }

    [Fact]
    public async Task Processes_wake_each_other()
    {
        await using var db = new DispatchContext(new DbContextOptionsBuilder<DispatchContext>().UseNpgsql(database.ConnectionString).UseEfConcurrency().Options);
        var notifier = new OutboxNotifier(OutboxDatabase.Of(db, 1), new(typeof(DispatchContext), "*", NullLoggerFactory.Instance), TimeProvider.System);
        using var enough = new CancellationTokenSource();
        var heard = new TaskCompletionSource();
        var hearing = notifier.HearAsync(() => heard.TrySetResult(), enough.Token);
        await Eventually.IsTrueAsync(async () => await database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and query like '%outbox.listen%' and state = 'idle' and application_name like '%efc-outbox'") == 1);
        var telling = notifier.TellAsync(OutboxSignal.Of(db), enough.Token);
        OutboxSignal.Raise(db);
        await heard.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        await enough.CancelAsync();
        await Task.WhenAll(hearing, telling);
    }

    private static async Task EnqueueAsync(string connectionString, string text)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand($"select enqueue('k', '{text}')", connection);
        await command.ExecuteNonQueryAsync(Token);
    }
}
