using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>What operators see and do.</summary>
public sealed class DispatchAdminTests(DispatchDatabase database) : IClassFixture<DispatchDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();

    private string Sink => _transport.Sink;

    [Fact]
    public async Task Dead_letters_of_a_time_are_replayed_or_purged()
    {
        var isBroken = true;
        _transport.Answer = _ => isBroken ? new(SendStatus.Reject) : SendResult.Ok;
        await using var dispatching = await Dispatching.StartAsync(database, _transport);
        await using var db = dispatching.OpenContext();
        await database.ExecuteAsync("select enqueue(null, '1')");
        var between = await database.ScalarAsync<DateTime>("select clock_timestamp()");
        await database.ExecuteAsync("select enqueue(null, '2'), enqueue(null, '3')");
        await Eventually.IsTrueAsync(async () => (await db.OutboxAdmin().GetLagAsync(Sink, Token)) is { Dead: 3, Undelivered: 0 });

        isBroken = false;
        Assert.Equal(1, await db.OutboxAdmin().PurgeDeadLettersAsync(Sink, between, Token));
        Assert.Equal(2, await db.OutboxAdmin().ReplayDeadLettersAsync(Sink, between, cancellationToken: Token));
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 2);
        Assert.Equal(["2", "3"], _transport.Taken.Order());
        Assert.Empty(await db.OutboxAdmin().ListDeadLettersAsync(Sink, cancellationToken: Token));
    }

    [Fact]
    public async Task A_message_that_waits_can_be_parked_and_its_key_goes_on()
    {
        _transport.Answer = m => Recorder.Text(m) == "bad" ? new(SendStatus.Retry) : SendResult.Ok;
        await using var dispatching = await Dispatching.StartAsync(database, _transport, o => o.MaxAttempts = 1_000_000);
        await database.ExecuteAsync("select enqueue('k', 'bad'), enqueue('k', 'good')");
        await using var db = dispatching.OpenContext();
        await Eventually.IsTrueAsync(async () => (await db.OutboxAdmin().GetLagAsync(Sink, Token)) is { Retrying: 2, OldestAge: not null });

        var waiting = await db.OutboxAdmin().ListWaitingAsync(Sink, cancellationToken: Token);
        Assert.Equal([OutboxPendingState.Retry, OutboxPendingState.Retry], waiting.Select(w => w.State));
        Assert.Equal(waiting[1].Id, Assert.Single(await db.OutboxAdmin().ListWaitingAsync(Sink, 5, waiting[0].Id, Token)).Id);
        Assert.True(await db.OutboxAdmin().ParkAsync(Sink, waiting[0].MessageId, Token));
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
        Assert.Equal(["good"], _transport.Taken);
        await Eventually.IsTrueAsync(async () => (await db.OutboxAdmin().ListWaitingAsync(Sink, cancellationToken: Token)).Count == 0);
    }

    [Fact]
    public async Task A_message_that_is_parked_while_it_is_being_sent_stays_parked_when_that_fails()
    {
        var sending = new TaskCompletionSource();
        var isParked = new TaskCompletionSource();
        var isWatched = false;
        _transport.Answer = m => Recorder.Text(m) == "bad" ? new(SendStatus.Retry) : SendResult.Ok;
        _transport.Before = async (batch, token) =>
        {
            if (Volatile.Read(ref isWatched) && batch.Any(m => Recorder.Text(m) == "bad"))
            {
                sending.TrySetResult();
                await isParked.Task.WaitAsync(token);
            }
        };
        await using var dispatching = await Dispatching.StartAsync(database, _transport, o => o.MaxAttempts = 1_000_000);
        await database.ExecuteAsync("select enqueue('k', 'bad')");
        await using var db = dispatching.OpenContext();
        await Eventually.IsTrueAsync(async () => (await db.OutboxAdmin().GetLagAsync(Sink, Token)).Retrying == 1);
        Volatile.Write(ref isWatched, true);
        await sending.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.True(await db.OutboxAdmin().ParkAsync(Sink, _transport.Envelopes[0].MessageId, Token));
        isParked.SetResult();

        // What is sent afterwards is kept after the failure: then the parked one is as it was.
        await database.ExecuteAsync("select enqueue('k', 'good')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
        Assert.Single(await db.OutboxAdmin().ListDeadLettersAsync(Sink, cancellationToken: Token));
        await Eventually.IsTrueAsync(async () => (await db.OutboxAdmin().ListWaitingAsync(Sink, cancellationToken: Token)).Count == 0);
    }

    [Fact]
    public async Task A_sink_that_is_set_back_gets_everything_since_then_again_and_what_it_never_got()
    {
        await using (await Dispatching.StartAsync(database, _transport))
        {
            await database.ExecuteAsync("select enqueue('k', 'old')");
            await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
            await database.ExecuteAsync("select pg_sleep(0.01)");
        }

        await using var dispatching = await Dispatching.StartAsync(database, _transport);
        var since = await database.ScalarAsync<DateTime>("select clock_timestamp()");
        await database.ExecuteAsync("select enqueue('k', 'new')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 2);
        await using var db = dispatching.OpenContext();
        Assert.Equal(1, await db.OutboxAdmin().RewindAsync(Sink, since, Token));
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 3);
        Assert.Equal(["old", "new", "new"], _transport.Taken);

        // Nothing else comes: the rewind ends where it began.
        await database.ExecuteAsync("select enqueue('k', 'last')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 4);
        Assert.Equal("last", _transport.Taken[^1]);
    }

    [Fact]
    public async Task Sinks_are_listed_with_their_lanes_and_dispatchers_and_forgotten_when_removed()
    {
        await using (var dispatching = await Dispatching.StartAsync(database, _transport))
        {
            await using var db = dispatching.OpenContext();
            var sink = Assert.Single(await db.OutboxAdmin().ListSinksAsync(Token), s => s.Sink == Sink);
            Assert.Equal(DispatchContext.Lanes, sink.Lanes.Count);
            Assert.Equal(Assert.Single(sink.Dispatchers).Owner, sink.Lanes[0].Owner);
        }

        await using var other = await Dispatching.StartAsync(database.ConnectionString, null, new Recorder());
        await using var after = other.OpenContext();
        Assert.Empty(Assert.Single(await after.OutboxAdmin().ListSinksAsync(Token), s => s.Sink == Sink).Dispatchers);
        Assert.True(await after.OutboxAdmin().RemoveSinkAsync(Sink, Token));
        Assert.DoesNotContain(await after.OutboxAdmin().ListSinksAsync(Token), s => s.Sink == Sink);
    }

    /// <summary>After a restore from a dump transaction ids begin anew: messages of now would count as seen long ago.</summary>
    [Fact]
    public async Task Cursors_that_come_from_another_server_are_not_believed_and_a_reseed_delivers_what_is_there()
    {
        await using var own = await database.CreateDatabaseAsync();
        await DispatchDatabase.CreateTablesAsync(own.ConnectionString);
        await using (var first = await Dispatching.StartAsync(own.ConnectionString, null, _transport))
        {
            await Eventually.IsTrueAsync(() => first.Log.Lines.Any(l => l.Id == 60820));
        }

        await ExecuteAsync($"update efc.outbox_cursor set snap = '99999999999:99999999999:'; select enqueue('k', 'restored'); update efc.outbox set tx = '99999999990'; select enqueue('k', 'new')");
        await using var dispatching = await Dispatching.StartAsync(own.ConnectionString, null, _transport);
        await Eventually.IsTrueAsync(() => dispatching.Log.Lines.Any(l => l.Id == 60827));
        Assert.Empty(_transport.Taken);

        await using var db = dispatching.OpenContext();
        Assert.True(await db.OutboxAdmin().ReseedAsync(Token));
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 2);
        await ExecuteAsync("select enqueue('k', 'newer')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 3);
        Assert.Equal(["restored", "new", "newer"], _transport.Taken);
        Assert.False(await db.OutboxAdmin().ReseedAsync(Token));

        async Task ExecuteAsync(string sql)
        {
            await using var connection = new Npgsql.NpgsqlConnection(own.ConnectionString);
            await connection.OpenAsync(Token);
            await using var command = new Npgsql.NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(Token);
        }
    }
}
