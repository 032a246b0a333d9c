using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Npgsql;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>
/// Behind a pooler, or an address that moves, the connection stays when the server changes. Which timeline it is on, a function says that is found before the
/// server's own.
/// </summary>
public sealed class DispatchTimelineTests(DispatchDatabase database) : IClassFixture<DispatchDatabase>, IAsyncLifetime
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Recorder _transport = new();

    private string ConnectionString => new NpgsqlConnectionStringBuilder(database.ConnectionString) { SearchPath = "fake, pg_catalog, public" }.ConnectionString;

    public async ValueTask InitializeAsync() => await database.ExecuteAsync("""
        drop schema if exists fake cascade;
        create schema fake;
        create table fake.timeline as select '00000001' as name;
        create function fake.pg_walfile_name(pg_lsn) returns text language sql as $$ select name || '0000000000000001' from fake.timeline $$;
        """);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(SendStatus.Ok)]
    [InlineData(SendStatus.Reject)]
    public async Task What_was_sent_under_another_timeline_is_not_acknowledged_and_sent_again(SendStatus status)
    {
        var sending = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        _transport.Before = (_, _) =>
        {
            sending.TrySetResult();
            return mayEnd.Task;
        };
        _transport.Answer = _ => new(status);
        await using var dispatching = await Dispatching.StartAsync(database, _transport, o => o.LeaseLength = TimeSpan.FromMinutes(5), ConnectionString);
        await database.ExecuteAsync("select enqueue('k', '1')");
        await sending.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        await FailOverAsync();
        mayEnd.SetResult();
        await Eventually.IsTrueAsync(() => _transport.Given.Count == 2);
        Assert.Contains(dispatching.Log.Lines, l => l.Id == 60821);
        await Eventually.IsTrueAsync(async () => await database.ScalarAsync<long>($"select count(*) from efc.outbox_pending where sink = '{_transport.Sink}'") == (status == SendStatus.Ok ? 0 : 1));
    }

    [Fact]
    public async Task Lanes_of_two_timelines_are_not_led_together()
    {
        await using var dispatching = await Dispatching.StartAsync(database, _transport, o => o.LeaseLength = TimeSpan.FromMinutes(5), ConnectionString);

        // One of its lanes is free, and it has not noticed: it takes it again, from the server that answers now.
        await FailOverAsync();
        await database.ExecuteAsync("select enqueue(null, '1', 3)");
        await Eventually.IsTrueAsync(() => _transport.Taken.Count >= 1 && dispatching.Log.Lines.Any(l => l.Text.Contains("timeline has changed", StringComparison.Ordinal)));
    }

    private Task FailOverAsync() => database.ExecuteAsync("update fake.timeline set name = '00000002'");
}
