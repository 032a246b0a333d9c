using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Npgsql;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A backlog is planned, drained in pages, and gone on with after an interruption.</summary>
public sealed class DispatchBacklogTests(DispatchDatabase database) : IClassFixture<DispatchDatabase>
{
    private const int Count = 6000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();

    [Fact]
    public async Task A_backlog_is_drained_in_order_and_an_orderly_restart_in_its_middle_sends_nothing_twice()
    {
        await PlantAsync();
        var stopAt = new TaskCompletionSource();
        _transport.Before = (_, _) =>
        {
            if (_transport.Taken.Count > Count / 2)
            {
                stopAt.TrySetResult();
            }

            return Task.CompletedTask;
        };
        var first = await StartAsync();
        await stopAt.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        await first.DisposeAsync();
        Assert.InRange(_transport.Taken.Count, Count / 2, Count - 1);
        Assert.True(await database.ScalarAsync<bool>($"select bool_or(planned_to is not null and last_id > 0) from efc.outbox_cursor where sink = '{_transport.Sink}'"));

        await using var second = await StartAsync();
        await Eventually.IsTrueAsync(() => _transport.Taken.Count >= Count);
        await UntilDoneAsync();
        AssertAllInOrder(duplicates: 0);
    }

    /// <summary>A plan for all lanes that ends before where one of them is, must not bring that one back.</summary>
    [Fact]
    public async Task A_lane_that_is_ahead_of_the_others_sends_nothing_twice_after_an_orderly_restart()
    {
        await PlantAsync();
        HashSet<string?>? fast = null;
        var isAhead = new TaskCompletionSource();
        _transport.Before = async (batch, _) =>
        {
            fast = Interlocked.CompareExchange(ref fast, [.. batch.Select(m => m.Key)], null) ?? fast;
            if (!fast.Contains(batch[0].Key))
            {
                await isAhead.Task;
            }
            else if (_transport.Taken.Count > Count / 40 * fast.Count * 2 / 3)
            {
                isAhead.TrySetResult();
            }
        };
        var first = await StartAsync();
        await isAhead.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        await first.DisposeAsync();

        await using var second = await StartAsync();
        await Eventually.IsTrueAsync(() => _transport.Taken.Count >= Count);
        await UntilDoneAsync();
        AssertAllInOrder(duplicates: 0);
    }

    [Fact]
    public async Task A_connection_that_breaks_in_the_middle_loses_nothing_and_breaks_no_order()
    {
        await PlantAsync();
        var broken = 0;
        _transport.Before = async (_, _) =>
        {
            if (_transport.Taken.Count > 1000 * (broken + 1) && Interlocked.Increment(ref broken) <= 3)
            {
                await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%efc-outbox' and datname = current_database()");
            }
        };
        await using var dispatching = await StartAsync();
        await Eventually.IsTrueAsync(() => _transport.Taken.Distinct().Count() == Count);
        await UntilDoneAsync();
        AssertAllInOrder(duplicates: null);
        Assert.True(broken >= 3);
    }

    /// <summary>Its ids are lower than what was delivered already. Reading by id would lose them.</summary>
    [Fact]
    public async Task What_commits_late_in_the_middle_of_a_backlog_is_delivered()
    {
        await using var slow = new NpgsqlConnection(database.ConnectionString);
        await slow.OpenAsync(Token);
        await using var transaction = await slow.BeginTransactionAsync(Token);
        await using var enqueue = new NpgsqlCommand("select enqueue('late', 'late:' || i) from generate_series(1, 5) i", slow, transaction);
        await enqueue.ExecuteNonQueryAsync(Token);
        await PlantAsync();
        var committed = 0;
        _transport.Before = async (_, _) =>
        {
            if (_transport.Taken.Count > Count / 2 && Interlocked.Exchange(ref committed, 1) == 0)
            {
                await transaction.CommitAsync(Token);
            }
        };
        await using var dispatching = await StartAsync();
        await Eventually.IsTrueAsync(() => _transport.Taken.Count(t => t.StartsWith("late", StringComparison.Ordinal)) == 5);
    }

    [Fact]
    public async Task Rows_that_are_moved_while_they_are_planned_are_found_again()
    {
        await (await StartAsync()).DisposeAsync();
        await database.ExecuteAsync("select enqueue('gone', '', 0) from generate_series(1, 50)");
        await PlantAsync();
        var isMoved = false;
        _transport.Before = async (_, _) =>
        {
            if (_transport.Taken.Count > 1000 && !isMoved)
            {
                isMoved = true;
                await database.ExecuteAsync("delete from efc.outbox where key = 'gone'");
                foreach (var partition in Enumerable.Range(0, 3))
                {
                    await database.ExecuteAsync($"vacuum full efc.outbox_{partition}");
                }
            }
        };
        await using var dispatching = await StartAsync();
        await Eventually.IsTrueAsync(() => _transport.Taken.Count(t => t.Length > 0) >= Count);
        await UntilDoneAsync();
        AssertAllInOrder(duplicates: null);
        Assert.True(isMoved);
    }

    private Task<Dispatching> StartAsync(Action<OutboxDispatcherOptions>? configure = null) => Dispatching.StartAsync(
        database,
        _transport,
        o =>
        {
            Small(o);
            configure?.Invoke(o);
        });

    private static void Small(OutboxDispatcherOptions options)
    {
        options.BatchSize = 50;
        options.MaxPlanned = 2000;
    }

    /// <summary>A sink that has seen nothing of what comes now; 40 keys in turn.</summary>
    private async Task PlantAsync()
    {
        await (await StartAsync()).DisposeAsync();
        await database.ExecuteAsync($"select enqueue('k' || i % 40, (i % 40) || ':' || i / 40) from generate_series(0, {Count - 1}) i order by i");
    }

    private Task UntilDoneAsync()
        => Eventually.IsTrueAsync(async () => await database.ScalarAsync<long>($"select count(*) from efc.outbox_cursor where sink = '{_transport.Sink}' and planned_to is not null") == 0);

    private void AssertAllInOrder(int? duplicates)
    {
        var taken = _transport.Taken.Where(t => t.Contains(':', StringComparison.Ordinal)).ToList();
        var firsts = taken.Distinct().ToList();
        Assert.Equal(Count, firsts.Count);
        if (duplicates is { } expected)
        {
            Assert.Equal(expected, taken.Count - firsts.Count);
        }

        foreach (var key in firsts.GroupBy(t => t.Split(':')[0], t => int.Parse(t.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture)))
        {
            Assert.Equal(Enumerable.Range(0, Count / 40), key);
        }
    }
}
