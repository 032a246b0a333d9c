using EfConcurrency.Tool.Tests.Support;
using Npgsql;

namespace EfConcurrency.Tool.Tests.Status;

/// <summary>What a status costs, in what does not depend on the machine.</summary>
public sealed class StatusPlanTests(BigDatabase database) : IClassFixture<BigDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_status_takes_few_round_trips_and_reads_no_more_of_the_log_than_is_new()
    {
        var before = await LogReadsAsync();
        await using var proxy = database.StartProxy();
        var trips = proxy.CountRoundTrips();
        var status = (await Efc.RunAsync(proxy.ConnectionString, "status", "-o", "json", "--max-outbox-age", "7d")).Expect(0).Json;

        var sink = status.GetProperty("rooms").EnumerateArray().Single(r => r.GetProperty("room").GetString() == "outbox:mail").GetProperty("figures");
        Assert.Equal(BigDatabase.Undelivered, sink.GetProperty("undelivered").GetInt64());

        // Npgsql's own question for types, which tables there are, and all rooms together.
        Assert.InRange(trips.Count, 2, 3);

        // "Is there anything at all" looks at one row.
        await UntilEndedAsync();
        var after = await LogReadsAsync();
        Assert.InRange(after.Sequential - before.Sequential, 0, 3);
        Assert.InRange(after.ByIndex - before.ByIndex, BigDatabase.Undelivered, 2 * BigDatabase.Undelivered);
    }

    /// <summary>All figures of a session are there when the server has ended it, a moment after the client went.</summary>
    private async Task UntilEndedAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (await database.ScalarAsync<bool>("select exists (select from pg_stat_activity where datname = current_database() and application_name = 'efc')"))
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    /// <summary>Rows of the log's partitions that were read by sequential scans, and by index.</summary>
    private async Task<(long Sequential, long ByIndex)> LogReadsAsync()
    {
        await using var connection = await database.ConnectAsync();
        await using var command = new NpgsqlCommand(
            "select sum(seq_tup_read)::bigint, sum(coalesce(idx_tup_fetch, 0))::bigint from pg_stat_user_tables where schemaname = 'efc' and relname ~ '^outbox_\\d$'", connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        await reader.ReadAsync(Token);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }
}
