using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A message is found, with what became of it.</summary>
public sealed class DispatchFindTests(DispatchDatabase database) : IClassFixture<DispatchDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();

    [Fact]
    public async Task A_message_is_undelivered_then_dead_or_retried_or_passed_in_each_sink()
    {
        var other = new Recorder { Answer = m => new(Recorder.Text(m) == "dead" ? SendStatus.Reject : SendStatus.Retry) };
        await using var dispatching = await Dispatching.StartAsync(database.ConnectionString, o => (o.MaxAttempts, o.DeadLetterHoldsKey) = (1_000_000, true), _transport, other);
        await Eventually.IsTrueAsync(async () => await database.ScalarAsync<long>($"select count(*) from efc.outbox_cursor where sink in ('{_transport.Sink}', '{other.Sink}')") == 2 * DispatchContext.Lanes);
        await dispatching.StopAsync();
        await database.ExecuteAsync("select enqueue('f', 'dead', 1), enqueue('f', 'follows', 1), enqueue('g', 'retried', 1), enqueue(null, 'delayed', 1, clock_timestamp() + interval '1 hour')");
        var ids = await database.ScalarAsync<Guid[]>("select array_agg(message_id order by id) from efc.outbox where convert_from(payload, 'utf8') in ('dead', 'follows', 'retried', 'delayed')");
        await using var db = dispatching.OpenContext();
        var dead = (await db.OutboxAdmin().FindAsync(ids[0], Token))!;
        Assert.Equal(("f", (short)1, "topic", "text.v1", "dead"), (dead.Key, dead.Lane, dead.Topic, dead.Type, System.Text.Encoding.UTF8.GetString(dead.Payload.Span)));
        Assert.NotNull(dead.Slot);
        Assert.Equal(OutboxMessageState.Undelivered, Of(dead, other).State);

        await using var again = await Dispatching.StartAsync(database.ConnectionString, o => (o.MaxAttempts, o.DeadLetterHoldsKey) = (1_000_000, true), _transport, other);
        await Eventually.IsTrueAsync(async () => (await db.OutboxAdmin().GetLagAsync(other.Sink, Token)) is { Dead: 1, Retrying: 2, Delayed: 1 } && _transport.Taken.Count == 3);
        dead = (await db.OutboxAdmin().FindAsync(ids[0], Token))!;
        Assert.Equal((OutboxMessageState.Dead, 1, 1L, (Guid?)null), (Of(dead, other).State, Of(dead, other).Attempts, Of(dead, other).Following, Of(dead, other).Behind));
        await Eventually.IsTrueAsync(async () => Of((await db.OutboxAdmin().FindAsync(ids[0], Token))!, _transport).State == OutboxMessageState.Passed);
        var follows = Of((await db.OutboxAdmin().FindAsync(ids[1], Token))!, other);
        Assert.Equal((OutboxMessageState.Retrying, 0, (Guid?)ids[0]), (follows.State, follows.Attempts, follows.Behind));
        Assert.Equal(OutboxMessageState.Retrying, Of((await db.OutboxAdmin().FindAsync(ids[2], Token))!, other).State);
        var delayed = (await db.OutboxAdmin().FindAsync(ids[3], Token))!;
        Assert.Equal((OutboxMessageState.Delayed, delayed.DueAt), (Of(delayed, other).State, Of(delayed, other).DueAt));
    }

    [Fact]
    public async Task A_message_that_the_log_has_lost_is_found_as_long_as_it_waits_and_an_unknown_one_is_not()
    {
        _transport.Answer = _ => new(SendStatus.Reject);
        await using var dispatching = await Dispatching.StartAsync(database, _transport);
        await database.ExecuteAsync("select enqueue('gone', 'gone')");
        await using var db = dispatching.OpenContext();
        await Eventually.IsTrueAsync(async () => (await db.OutboxAdmin().GetLagAsync(_transport.Sink, Token)).Dead == 1);
        await database.ExecuteAsync("delete from efc.outbox where key = 'gone'");

        var found = (await db.OutboxAdmin().FindAsync(_transport.Envelopes[0].MessageId, Token))!;
        Assert.Null(found.Slot);
        Assert.Equal(OutboxMessageState.Dead, Of(found, _transport).State);
        Assert.Null(await db.OutboxAdmin().FindAsync(Guid.NewGuid(), Token));
    }

    private static OutboxMessageDelivery Of(OutboxMessageInfo message, Recorder transport) => message.Sinks.Single(s => s.Sink == transport.Sink);
}
