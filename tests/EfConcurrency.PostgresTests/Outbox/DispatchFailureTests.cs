using System.Diagnostics;
using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A message that fails holds up its key and nothing else.</summary>
public sealed class DispatchFailureTests(DispatchDatabase database) : IClassFixture<DispatchDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();

    [Fact]
    public async Task Later_messages_of_the_key_follow_the_one_that_failed_and_others_flow()
    {
        var isBroken = true;
        _transport.Answer = m => Recorder.Text(m) == "a1" && isBroken ? new(SendStatus.Retry, Error: new InvalidOperationException("a1 is broken")) : SendResult.Ok;
        await using var dispatching = await StartAsync();
        await database.ExecuteAsync("select enqueue('a', 'a0'), enqueue('a', 'a1'), enqueue('a', 'a2'), enqueue('b', 'b0'), enqueue(null, 'n', 0)");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 3);
        await database.ExecuteAsync("select enqueue('a', 'a3'), enqueue('b', 'b1')");
        await Eventually.IsTrueAsync(async () => _transport.Taken.Count == 4 && await WaitingAsync() == "a1,a2,a3");
        Assert.Contains("a1 is broken", await database.ScalarAsync<string>($"select last_error from efc.outbox_pending where sink = '{_transport.Sink}' order by id limit 1"), StringComparison.Ordinal);

        isBroken = false;
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 7);
        await database.ExecuteAsync("select enqueue('a', 'a4')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 8);
        Assert.Equal(["a0", "a1", "a2", "a3", "a4"], _transport.Taken.Where(t => t[0] == 'a'));
        Assert.Equal("", await WaitingAsync());
        Assert.DoesNotContain(_transport.Envelopes, e => Recorder.Text(e) != "a1" && e.Attempt > 1);
    }

    [Fact]
    public async Task A_message_that_is_rejected_is_a_dead_letter_at_once_and_its_key_goes_on()
    {
        _transport.Answer = m => Recorder.Text(m) == "bad" ? new(SendStatus.Reject, Error: new FormatException("no such address")) : SendResult.Ok;
        await using var dispatching = await StartAsync();
        await database.ExecuteAsync("select enqueue('k', 'bad'), enqueue('k', 'good')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
        Assert.Equal(["bad", "good"], _transport.Given);
        await Eventually.IsTrueAsync(async () => await WaitingAsync("2") == "bad");
        Assert.Contains(dispatching.Log.Lines, l => l.Id == 60825);
    }

    [Fact]
    public async Task A_dead_letter_holds_its_key_when_told_to_and_a_replay_frees_it()
    {
        var isBroken = true;
        _transport.Answer = m => Recorder.Text(m) == "bad" && isBroken ? new(SendStatus.Reject) : SendResult.Ok;
        await using var dispatching = await StartAsync(o => o.DeadLetterHoldsKey = true);
        await database.ExecuteAsync("select enqueue('k', 'bad'), enqueue('k', 'good'), enqueue('x', 'other')");
        await Eventually.IsTrueAsync(async () => await WaitingAsync("2") == "bad" && await WaitingAsync() == "good");
        await database.ExecuteAsync("select enqueue('k', 'later')");
        await Eventually.IsTrueAsync(async () => await WaitingAsync() == "good,later");
        Assert.Equal(["other"], _transport.Taken);

        isBroken = false;
        await using var db = dispatching.OpenContext();
        var dead = Assert.Single(await db.OutboxAdmin().ListDeadLettersAsync(_transport.Sink, cancellationToken: Token));
        Assert.True(await db.OutboxAdmin().ReplayAsync(_transport.Sink, dead.MessageId, Token));
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 4);
        Assert.Equal(["other", "bad", "good", "later"], _transport.Taken);
    }

    [Fact]
    public async Task After_its_last_attempt_a_message_is_a_dead_letter()
    {
        _transport.Answer = static _ => new(SendStatus.Retry);
        await using var dispatching = await StartAsync(o => o.MaxAttempts = 3);
        await database.ExecuteAsync("select enqueue('k', 'bad')");
        await Eventually.IsTrueAsync(async () => await WaitingAsync("2") == "bad");
        Assert.Equal([1, 2, 3], _transport.Envelopes.Select(e => e.Attempt));
    }

    [Fact]
    public async Task A_delayed_message_comes_at_its_time_and_its_key_does_not_wait_for_it()
    {
        await using var dispatching = await StartAsync();
        var startedAt = Stopwatch.StartNew();
        await database.ExecuteAsync("select enqueue('k', 'late', due => clock_timestamp() + interval '3 s'), enqueue('k', 'now'), enqueue('k', 'past', due => clock_timestamp() - interval '1 s')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 3);
        Assert.Equal(["now", "past", "late"], _transport.Taken);
        Assert.True(startedAt.Elapsed >= TimeSpan.FromSeconds(2.9), $"{startedAt.Elapsed}");
    }

    [Fact]
    public async Task The_transport_says_when_to_try_again()
    {
        var times = new List<TimeSpan>();
        var clock = Stopwatch.StartNew();
        _transport.Answer = _ =>
        {
            times.Add(clock.Elapsed);
            return times.Count == 1 ? new(SendStatus.Retry, RetryAfter: TimeSpan.FromMilliseconds(600)) : SendResult.Ok;
        };
        await using var dispatching = await StartAsync();
        await database.ExecuteAsync("select enqueue(null, 'x')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
        Assert.True(times[1] - times[0] >= TimeSpan.FromMilliseconds(590), $"{times[1] - times[0]}");
    }

    [Fact]
    public async Task A_transport_that_is_down_is_given_everything_later_except_what_it_took_before_it_failed()
    {
        var isDown = true;
        _transport.Answer = m => Recorder.Text(m) == "2" && isDown ? throw new IOException("the broker is gone") : SendResult.Ok;
        await using var dispatching = await StartAsync();
        await database.ExecuteAsync("select enqueue('k', '1'), enqueue('k', '2'), enqueue('k', '3')");
        await Eventually.IsTrueAsync(() => _transport.Calls >= 3);
        Assert.Equal(["1"], _transport.Taken);
        Assert.Equal("", await WaitingAsync());
        Assert.Contains(dispatching.Log.Lines, l => l.Id == 60822 && l.Text.Contains("the broker is gone", StringComparison.Ordinal));
        await Eventually.IsTrueAsync(async () => await database.ScalarAsync<long>($"select count(*) from efc.outbox_owner where sink = '{_transport.Sink}' and failure like '%broker%'") == 1);

        isDown = false;
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 3);
        Assert.Equal(["1", "2", "3"], _transport.Taken);
        Assert.Contains(dispatching.Log.Lines, l => l.Id == 60824);
    }

    [Fact]
    public async Task A_transport_that_hangs_counts_as_down()
    {
        var mayEnd = new TaskCompletionSource();
        _transport.Before = (_, over) => mayEnd.Task.WaitAsync(over);
        await using var dispatching = await StartAsync(o => o.SendTimeout = TimeSpan.FromMilliseconds(200));
        await database.ExecuteAsync("select enqueue('k', '1')");
        try
        {
            await Eventually.IsTrueAsync(() => dispatching.Log.Lines.Any(l => l.Id == 60822 && l.Text.Contains("SendTimeout", StringComparison.Ordinal)));
        }
        finally
        {
            mayEnd.SetResult();
        }

        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
    }

    [Fact]
    public async Task Topics_that_a_sink_does_not_want_are_passed_over()
    {
        await using var dispatching = await StartAsync(o => o.FilterTopics(_transport.Sink, topic => topic != "topic"));
        await database.ExecuteAsync("select enqueue('k', 'unwanted'); insert into efc.outbox (lane, message_id, topic, type, payload) values (0, gen_random_uuid(), 'other', 't', 'wanted')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
        Assert.Equal(["wanted"], _transport.Given);
    }

    private Task<Dispatching> StartAsync(Action<OutboxDispatcherOptions>? configure = null) => Dispatching.StartAsync(database, _transport, configure);

    /// <summary>What waits beside the log in a state (0: retry).</summary>
    private Task<string> WaitingAsync(string state = "0")
        => database.ScalarAsync<string>($"select coalesce(string_agg(convert_from(payload, 'utf8'), ',' order by id), '') from efc.outbox_pending where sink = '{_transport.Sink}' and state = {state}");
}
