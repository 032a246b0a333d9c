using System.Collections.Concurrent;
using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A lane has one leader. Who is not it any more changes nothing.</summary>
public sealed class DispatchLaneTests(DispatchDatabase database) : IClassFixture<DispatchDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();

    [Theory]
    [InlineData(16, new[] { 16 }, 16, 16)]
    [InlineData(16, new[] { 16, 16, 16 }, 16, 6)]
    [InlineData(16, new[] { 4, 16 }, 16, 12)]
    [InlineData(16, new[] { 4, 16 }, 4, 4)]
    [InlineData(16, new[] { 2, 2 }, 2, 2)]
    [InlineData(1, new[] { 1, 1, 1 }, 1, 1)]
    public void Shares_are_even_and_leave_nothing_over(int lanes, int[] capacities, int mine, int share)
        => Assert.Equal(share, OutboxLanes.Share(capacities, lanes, mine));

    [Fact]
    public async Task Two_share_the_lanes_and_when_one_stops_the_other_takes_over_before_the_lease_is_over()
    {
        var lease = TimeSpan.FromMinutes(5);
        await using var first = await Dispatching.StartAsync(database, _transport, o => o.LeaseLength = lease);
        var other = new Recorder(_transport.Sink);
        await using var second = await Dispatching.StartAsync(database.ConnectionString, o => o.LeaseLength = lease, other);
        await Eventually.IsTrueAsync(async () => await OwnersAsync() == "2,2");
        await first.StopAsync();
        await Eventually.IsTrueAsync(async () => await OwnersAsync() == "4");
        await database.ExecuteAsync("select enqueue(null, i::text, i) from generate_series(0, 3) i");
        await Eventually.IsTrueAsync(() => other.Taken.Count == 4);
    }

    /// <summary>While it sends, another takes the lane: neither progress nor what failed may be kept.</summary>
    [Fact]
    public async Task An_acknowledgement_of_a_former_leader_changes_nothing()
    {
        var sending = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        _transport.Before = (_, _) =>
        {
            sending.TrySetResult();
            return mayEnd.Task;
        };
        _transport.Answer = m => Recorder.Text(m) == "fails" ? new(SendStatus.Retry) : SendResult.Ok;
        await using var dispatching = await Dispatching.StartAsync(database, _transport, o => o.LeaseLength = TimeSpan.FromMinutes(1));
        await database.ExecuteAsync("select enqueue(null, 'taken', 1), enqueue(null, 'fails', 1)");
        await sending.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        await database.ExecuteAsync($"update efc.outbox_cursor set owner = 'another', epoch = epoch + 1, lease_until = clock_timestamp() + interval '1 hour' where sink = '{_transport.Sink}' and lane = 1");
        var before = await CursorAsync();

        mayEnd.SetResult();
        await Eventually.IsTrueAsync(() => dispatching.Log.Lines.Any(l => l.Id == 60821));
        Assert.Equal(before, await CursorAsync());
        Assert.Equal(0, await database.ScalarAsync<long>($"select count(*) from efc.outbox_pending where sink = '{_transport.Sink}'"));

        // The other lanes go on.
        await database.ExecuteAsync("select enqueue(null, 'more', 2)");
        await Eventually.IsTrueAsync(() => _transport.Taken.Contains("more"));
    }

    [Fact]
    public async Task A_leader_that_is_cut_off_from_the_database_loses_its_lanes_and_what_it_sent_is_sent_again()
    {
        await using var proxy = database.StartProxy();
        var sending = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        var isToldThatItIsOver = new TaskCompletionSource<bool>();
        _transport.Before = async (_, over) =>
        {
            sending.TrySetResult();
            await mayEnd.Task;
            isToldThatItIsOver.TrySetResult(over.IsCancellationRequested);
        };
        var first = await Dispatching.StartAsync(database, _transport, o => o.LeaseLength = TimeSpan.FromSeconds(1), proxy.ConnectionString);
        await database.ExecuteAsync("select enqueue('k', '1'), enqueue('k', '2')");
        await sending.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        proxy.BlackHole = true;

        var other = new Recorder(_transport.Sink);
        await using var second = await Dispatching.StartAsync(database.ConnectionString, null, other);
        await Eventually.IsTrueAsync(() => other.Taken.Count == 2);
        mayEnd.SetResult();
        Assert.True(await isToldThatItIsOver.Task.WaitAsync(TimeSpan.FromMinutes(1), Token), "A leader must know that its lease is over before another sends.");
        Assert.Equal(["1", "2"], other.Taken);
        await Eventually.IsTrueAsync(async () => await OwnersAsync() == "4");

        proxy.BlackHole = false;
        _transport.Before = static (_, _) => Task.CompletedTask;
        await first.DisposeAsync();
    }

    /// <summary>The lease counts from when it was asked for: an answer may be as old as the lease is long.</summary>
    [Fact]
    public async Task A_lane_whose_lease_was_over_when_the_answer_came_is_not_led()
    {
        await using var dispatching = await Dispatching.StartAsync(new SlowTime(TimeSpan.FromMinutes(1)), database.ConnectionString, o => o.LeaseLength = TimeSpan.FromMinutes(1), _transport);
        await Eventually.IsTrueAsync(() => dispatching.Log.Lines.Any(l => l.Id == 60821));
    }

    [Fact]
    public async Task Dispatchers_come_and_go_and_no_lane_is_sent_by_two_at_a_time_nor_a_key_out_of_order()
    {
        var inside = new ConcurrentDictionary<string, int>();
        var seen = new ConcurrentDictionary<string, int>();
        var violations = new ConcurrentQueue<string>();
        var taken = new ConcurrentDictionary<string, bool>();

        // A lane has one key here.
        Recorder Transport() => new(_transport.Sink)
        {
            Before = async (batch, over) =>
            {
                foreach (var key in batch.Select(m => m.Key!).Distinct())
                {
                    if (inside.AddOrUpdate(key, 1, (_, n) => n + 1) > 1)
                    {
                        violations.Enqueue($"lane {key} is sent twice at a time");
                    }
                }

                await Task.Delay(2, CancellationToken.None);
                foreach (var message in batch)
                {
                    var number = int.Parse(Recorder.Text(message), System.Globalization.CultureInfo.InvariantCulture);
                    var last = seen.GetValueOrDefault(message.Key!, -1);
                    if (number > last + 1)
                    {
                        violations.Enqueue($"key {message.Key}: {number} after {last}");
                    }

                    seen[message.Key!] = Math.Max(last, number);
                    taken[$"{message.Key}:{number}"] = true;
                }

                foreach (var key in batch.Select(m => m.Key!).Distinct())
                {
                    inside.AddOrUpdate(key, 0, (_, n) => n - 1);
                }
            },
        };

        const int Count = 300;
        var members = new Queue<Dispatching>();
        members.Enqueue(await Dispatching.StartAsync(database.ConnectionString, o => o.BatchSize = 7, Transport()));
        await Eventually.IsTrueAsync(async () => await OwnersAsync() == "4");
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    await database.ExecuteAsync($"select enqueue(lane::text, '{i}', lane) from generate_series(0, 3) lane");
                }
            },
            Token);
        for (var i = 0; i < 6 || !writing.IsCompleted; i++)
        {
            members.Enqueue(await Dispatching.StartAsync(database.ConnectionString, o => o.BatchSize = 7, Transport()));
            var before = taken.Count;
            await Eventually.IsTrueAsync(() => taken.Count > before || writing.IsCompleted);
            await members.Dequeue().DisposeAsync();
        }

        await writing;
        await Eventually.IsTrueAsync(() => taken.Count == 4 * Count || !violations.IsEmpty);
        Assert.Empty(violations);
        Assert.Equal(4 * Count, taken.Count);
        await members.Dequeue().DisposeAsync();
    }

    private Task<string> CursorAsync() => database.ScalarAsync<string>($"select (snap, planned_to, last_id)::text from efc.outbox_cursor where sink = '{_transport.Sink}' and lane = 1");

    /// <summary>How many lanes each live owner has.</summary>
    private Task<string> OwnersAsync()
        => database.ScalarAsync<string>($"select coalesce(string_agg(n::text, ',' order by n), '') from (select count(*) n from efc.outbox_cursor where sink = '{_transport.Sink}' and owner is not null and lease_until > clock_timestamp() group by owner) o");

    /// <summary>Everything takes as long as that.</summary>
    private sealed class SlowTime(TimeSpan each) : TimeProvider
    {
        private long _asked;

        public override long GetTimestamp() => Interlocked.Increment(ref _asked) * (long)(each.TotalSeconds * TimestampFrequency);
    }
}
