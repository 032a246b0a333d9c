using System.Diagnostics;
using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.PostgresTests.Testing;

/// <summary>What a failover keeps and what it loses can be produced at will.</summary>
public sealed class LocalPostgresStandbyTests : IAsyncLifetime
{
    private const string CountRows = "select count(*) from t";
    private const string Timeline = "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";

    private LocalPostgres _primary = null!;
    private LocalPostgresStandby _standby = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _primary = await LocalPostgres.StartAsync(cancellationToken: Token);
        await ExecuteAsync(_primary, "create table t (x int)");
        _standby = await _primary.StartStandbyAsync(cancellationToken: Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _standby.DisposeAsync();
        await _primary.DisposeAsync();
    }

    [Fact]
    public async Task A_row_written_on_the_primary_is_read_on_the_standby()
    {
        await ExecuteAsync(_primary, "insert into t values (1)");
        await _standby.CatchUpAsync(Token);

        Assert.Equal(1, await RowsAsync(_standby));
        Assert.NotEqual(_primary.ConnectionString, _standby.ConnectionString);
    }

    [Fact]
    public async Task A_standby_takes_writes_once_promoted_on_the_next_timeline()
    {
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(_standby, "insert into t values (1)"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, refusal.SqlState);
        await _primary.KillAsync(Token);

        await _standby.PromoteAsync(Token);
        await _standby.PromoteAsync(Token);

        await ExecuteAsync(_standby, "insert into t values (1)");
        Assert.Equal("00000002", await ScalarAsync<string>(_standby, Timeline));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _standby.ResumeReplicationAsync(Token));
    }

    [Fact]
    public async Task A_promoted_standby_is_a_server_like_any_other()
    {
        await _primary.KillAsync(Token);
        await Assert.ThrowsAsync<PostgresException>(() => _standby.CreateDatabaseAsync(Token));
        await _standby.PromoteAsync(Token);

        await using var database = await _standby.CreateDatabaseAsync(Token);
        await ExecuteAsync(_standby, "insert into t values (1)");
        await _standby.RestartAsync(Token);
        await _standby.KillAsync(Token);
        await _standby.StartAgainAsync(Token);
        await using var next = await _standby.StartStandbyAsync(cancellationToken: Token);

        Assert.Equal(1, await RowsAsync(next));
        Assert.Equal("00000002", await ScalarAsync<string>(_standby, Timeline));
    }

    [Fact]
    public async Task An_asynchronous_failover_loses_an_acknowledged_row_and_the_old_primary_still_has_it()
    {
        await ExecuteAsync(_primary, "insert into t values (1)");
        await _standby.CatchUpAsync(Token);
        await _standby.PauseReplicationAsync(Token);
        await ExecuteAsync(_primary, "insert into t values (2)");
        await _primary.KillAsync(Token);

        await _standby.PromoteAsync(Token);
        await _primary.StartAgainAsync(Token);

        Assert.Equal(1, await RowsAsync(_standby));
        Assert.Equal(2, await RowsAsync(_primary));
    }

    [Fact]
    public async Task A_synchronous_primary_acknowledges_only_what_the_standby_has()
    {
        await _standby.MakeSynchronousAsync(Token);
        await ExecuteAsync(_primary, "insert into t values (1)");
        await _standby.PauseReplicationAsync(Token);
        var commit = ExecuteAsync(_primary, "insert into t values (2)");
        await WaitsForStandbyAsync();
        Assert.False(commit.IsCompleted);

        await _primary.KillAsync(Token);
        await _standby.PromoteAsync(Token);

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => commit);
        Assert.Equal(1, await RowsAsync(_standby));
    }

    [Fact]
    public async Task A_primary_is_not_called_synchronous_before_its_checkpointer_lets_commits_wait()
    {
        var pid = await ScalarAsync<int>(_primary, "select pid from pg_stat_activity where backend_type = 'checkpointer'");
        using var checkpointer = Process.GetProcessById(pid);
        await checkpointer.PauseAsync(Token);

        var synchronous = _standby.MakeSynchronousAsync(Token);
        Assert.True(await PostgresQuery.BecomesTrueAsync(_primary.ConnectionString, "select exists (select from pg_stat_activity where wait_event = 'CheckpointStart')", [], Token));
        Assert.False(synchronous.IsCompleted);

        await checkpointer.ContinueAsync(Token);
        await synchronous;
    }

    [Fact]
    public async Task Resuming_replication_brings_what_was_missed_and_lets_a_synchronous_commit_end()
    {
        await _standby.MakeSynchronousAsync(Token);
        await _standby.PauseReplicationAsync(Token);
        var commit = ExecuteAsync(_primary, "insert into t values (1)");
        await WaitsForStandbyAsync();

        await _standby.ResumeReplicationAsync(Token);

        await commit;
        await _standby.CatchUpAsync(Token);
        Assert.Equal(1, await RowsAsync(_standby));
    }

    [Fact]
    public async Task A_commit_that_waits_is_acknowledged_when_the_standby_is_made_asynchronous()
    {
        await _standby.MakeSynchronousAsync(Token);
        await _standby.PauseReplicationAsync(Token);
        var commit = ExecuteAsync(_primary, "insert into t values (1)");
        await WaitsForStandbyAsync();

        await _standby.MakeAsynchronousAsync(Token);

        await commit;
        Assert.Equal(0, await RowsAsync(_standby));
    }

    [Fact]
    public async Task Both_follow_on_after_restarts_and_a_cut_outlasts_them()
    {
        await _standby.PauseReplicationAsync(Token);
        await ExecuteAsync(_primary, "insert into t values (1)");
        await _standby.KillAsync(Token);
        await _standby.StartAgainAsync(Token);
        await _primary.RestartAsync(Token);
        Assert.Equal(0, await ScalarAsync<long>(_primary, "select count(*) from pg_stat_replication"));
        Assert.Equal(0, await RowsAsync(_standby));

        await _standby.ResumeReplicationAsync(Token);
        await _primary.RestartAsync(Token);

        await _standby.CatchUpAsync(Token);
        Assert.Equal(1, await RowsAsync(_standby));
    }

    [Fact]
    public async Task A_promoted_standby_does_not_wait_for_a_standby_of_its_old_primary()
    {
        await _standby.MakeSynchronousAsync(Token);
        await using var second = await _primary.StartStandbyAsync(cancellationToken: Token);
        await _primary.KillAsync(Token);

        await second.PromoteAsync(Token);

        Assert.Equal("", await ScalarAsync<string>(second, "show synchronous_standby_names"));
        await ExecuteAsync(second, "insert into t values (1)");
    }

    [Fact]
    public async Task Disposing_a_standby_leaves_nothing_and_frees_its_primary()
    {
        var trace = await ServerTrace.OfAsync(_standby.ConnectionString, Token);
        await _standby.MakeSynchronousAsync(Token);

        await _standby.DisposeAsync();

        await trace.GoneAsync(Token);
        await ExecuteAsync(_primary, "insert into t values (1)");
        Assert.Equal(0, await ScalarAsync<long>(_primary, "select count(*) from pg_replication_slots"));
        _standby = await _primary.StartStandbyAsync(cancellationToken: Token);
    }

    [Fact]
    public async Task A_start_that_is_given_up_leaves_nothing_on_the_primary()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var start = _primary.StartStandbyAsync(new() { Settings = new Dictionary<string, string> { ["no_such_setting"] = "1" } }, stop.Token);
        Assert.True(await PostgresQuery.BecomesTrueAsync(_primary.ConnectionString, "select count(*) = 2 from pg_replication_slots", [], Token));

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start);
        Assert.Equal(1, await ScalarAsync<long>(_primary, "select count(*) from pg_replication_slots"));
    }

    [Fact]
    public async Task A_standby_has_the_settings_of_its_primary_unless_told_otherwise()
    {
        await using var primary = await LocalPostgres.StartAsync(
            new() { MaxConnections = 210, Settings = new Dictionary<string, string> { ["max_locks_per_transaction"] = "80", ["work_mem"] = "5MB" } }, Token);
        await using var standby = await primary.StartStandbyAsync(new() { Durable = true, Settings = new Dictionary<string, string> { ["work_mem"] = "6MB" } }, Token);

        Assert.Equal("on 210 80 6MB", await ScalarAsync<string>(
            standby, "select concat_ws(' ', current_setting('fsync'), current_setting('max_connections'), current_setting('max_locks_per_transaction'), current_setting('work_mem'))"));
    }

    [Fact]
    public async Task A_primary_that_cannot_replicate_says_so_and_no_folder_stays()
    {
        await using var primary = await LocalPostgres.StartAsync(
            new() { Settings = new Dictionary<string, string> { ["wal_level"] = "minimal", ["max_wal_senders"] = "0" } }, Token);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => primary.StartStandbyAsync(cancellationToken: Token));

        Assert.Contains("max_wal_senders", refusal.Message, StringComparison.Ordinal);
        var data = refusal.Message.Split("-D ")[1].Split(' ')[0];
        Assert.False(Directory.Exists(Path.GetDirectoryName(data)));
    }

    private static Task ExecuteAsync(LocalPostgres server, string sql) => PostgresQuery.ExecuteAsync(server.ConnectionString, sql, Token);

    private static Task<T?> ScalarAsync<T>(LocalPostgres server, string sql) => PostgresQuery.ScalarAsync<T>(server.ConnectionString, sql, [], Token);

    private static Task<long> RowsAsync(LocalPostgres server) => ScalarAsync<long>(server, CountRows);

    private async Task WaitsForStandbyAsync()
        => Assert.True(await PostgresQuery.BecomesTrueAsync(_primary.ConnectionString, "select exists (select from pg_stat_activity where wait_event = 'SyncRep')", [], Token));
}
