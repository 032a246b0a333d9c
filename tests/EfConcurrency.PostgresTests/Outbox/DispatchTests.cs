using EfConcurrency.PostgresTests.Support;
using Npgsql;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>What is committed arrives, whatever else is going on.</summary>
public sealed class DispatchTests(DispatchDatabase database) : IClassFixture<DispatchDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();

    [Fact]
    public async Task What_is_committed_arrives_in_the_order_of_its_key()
    {
        await using var dispatching = await StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await database.ExecuteAsync($"select enqueue('a', 'a{i}'), enqueue('b', 'b{i}'), enqueue(null, 'c{i}')");
        }

        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 60);
        foreach (var key in (string[])["a", "b"])
        {
            Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{key}{i}"), _transport.Taken.Where(t => t.StartsWith(key, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_transaction_that_stays_open_does_not_hold_up_the_messages_of_others_and_its_own_arrive_when_it_commits()
    {
        await using var dispatching = await StartAsync();
        await using var slow = new NpgsqlConnection(database.ConnectionString);
        await slow.OpenAsync(Token);
        await using var transaction = await slow.BeginTransactionAsync(Token);
        await using var enqueue = new NpgsqlCommand("select enqueue('slow', 'slow')", slow, transaction);
        var id = (long)(await enqueue.ExecuteScalarAsync(Token))!;

        // Higher ids are committed and delivered before the lower one.
        await database.ExecuteAsync("select enqueue('quick', 'quick')");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
        Assert.True(_transport.Envelopes[0].Id > id);
        await transaction.CommitAsync(Token);
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 2);
        Assert.Equal(["quick", "slow"], _transport.Taken);
    }

    [Fact]
    public async Task What_was_enqueued_while_nobody_ran_is_delivered_after_a_restart_once()
    {
        await (await StartAsync()).DisposeAsync();
        await database.ExecuteAsync("select enqueue('k', 'first')");
        await using (await StartAsync())
        {
            await Eventually.IsTrueAsync(() => _transport.Taken.Count == 1);
        }

        await database.ExecuteAsync("select enqueue('k', 'second')");
        await using var last = await StartAsync();
        await Eventually.IsTrueAsync(() => _transport.Taken.Count == 2);
        Assert.Equal(["first", "second"], _transport.Taken);
    }

    private Task<Dispatching> StartAsync() => StartAsync(_transport);

    private async Task<Dispatching> StartAsync(Recorder transport)
    {
        var dispatching = await Dispatching.StartAsync(database.ConnectionString, null, transport);
        await Eventually.IsTrueAsync(async () => await database.ScalarAsync<long>($"select count(*) from efc.outbox_cursor where sink = '{transport.Sink}' and owner is not null") == DispatchContext.Lanes);
        return dispatching;
    }
}
