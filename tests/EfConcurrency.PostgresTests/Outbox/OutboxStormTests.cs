using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>
/// Sixteen writers in two processes tell of every change of their items; three dispatcher processes deliver. All of them are killed and paused. What the
/// receiver has written down is compared with what the items' versions say was committed.
/// </summary>
[Collection(nameof(Storms))]
public sealed class OutboxStormTests(DatabaseFixture server) : IClassFixture<DatabaseFixture>
{
    private const int WriterProcesses = 2;
    private const int WritersEach = 8;
    private const int Dispatchers = 3;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_50000_messages_under_kills_and_pauses_none_is_lost_out_of_order_or_effective_twice()
    {
        const int Messages = 50_000;
        await using var storm = await Storm.StartAsync(server, "Sound", Dispatchers, transactions: 1_000_000);
        var faults = new Dictionary<string, int>();
        string[] kinds = ["kill a dispatcher", "pause a dispatcher", "kill a writer", "terminate all sessions"];
        for (var i = 0; await storm.CommittedAsync() < Messages || i < 2 * kinds.Length; i++)
        {
            await storm.WorkAsync(messages: 1250);
            await storm.InjectAsync(kinds[i % kinds.Length], i / kinds.Length);
            faults[kinds[i % kinds.Length]] = faults.GetValueOrDefault(kinds[i % kinds.Length]) + 1;
            Assert.True(storm.Age < TimeSpan.FromMinutes(8), $"{await storm.CommittedAsync()} messages after {storm.Age}");
        }

        await storm.StopWritersAsync();
        await storm.UntilDeliveredAsync(TimeSpan.FromMinutes(5));
        var check = await storm.CheckAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{storm.Age.TotalSeconds:0} s: {check}, duplicates absorbed {await storm.Database.ScalarAsync("select coalesce(sum(messages), 0) from absorbed")}, "
            + string.Join(", ", faults.Select(f => $"{f.Key}: {f.Value}")));
        Assert.Equal((0, 0, 0), (check.Lost, check.Twice, check.OutOfOrder));
        Assert.True(check.Committed >= Messages);
    }

    /// <summary>The checker finds what the library prevents.</summary>
    [Fact]
    public async Task Without_the_inbox_the_checker_finds_effects_that_happened_twice()
    {
        await using var storm = await Storm.StartAsync(server, "WithoutInbox", Dispatchers, transactions: 1_000_000);
        for (var i = 0; i < 20 && (await storm.CheckAsync()).Twice == 0; i++)
        {
            // What they have sent, and not kept yet, comes again after them.
            await storm.UntilAppliedAsync(await storm.AppliedAsync() + 100);
            for (var dispatcher = 0; dispatcher < Dispatchers; dispatcher++)
            {
                await storm.InjectAsync("kill a dispatcher", dispatcher);
            }
        }

        Assert.NotEqual(0, (await storm.CheckAsync()).Twice);
    }

    /// <summary>A transaction that has taken the lowest ids commits when messages with higher ones have arrived.</summary>
    [Fact]
    public async Task Read_by_id_the_checker_finds_messages_that_were_lost()
    {
        await using var storm = await Storm.StartAsync(server, "ById", dispatchers: 0, transactions: 0);
        await using var late = HostProcess.Start("OutboxHost", storm.Database.ConnectionString, null, "write-late");
        await late.UntilSaysAsync("saved");
        storm.StartDispatchers(1);
        storm.StartWriters(transactions: 100);
        await storm.UntilAppliedAsync(effects: 1);
        await late.EndAsync();
        Assert.Equal(0, late.Process.ExitCode);
        await storm.WritersEndAsync();
        await storm.UntilQuietAsync();
        Assert.NotEqual(0, (await storm.CheckAsync()).Lost);
    }

    [Fact]
    public async Task With_a_cached_sequence_the_checker_finds_messages_out_of_order()
    {
        await using var storm = await Storm.StartAsync(
            server, "Sound", dispatchers: 0, transactions: 400, prepare: "alter table efc.outbox alter column id set cache 32");
        await storm.WritersEndAsync();
        storm.StartDispatchers(Dispatchers); // read together, messages are in the order of their ids
        await storm.UntilDeliveredAsync(TimeSpan.FromMinutes(3));
        Assert.NotEqual(0, (await storm.CheckAsync()).OutOfOrder);
    }

    private sealed class Storm : IAsyncDisposable
    {
        private HostProcess[] _dispatchers = [];
        private HostProcess[] _writers = [];
        private readonly string _way;
        private int _transactions;
        private readonly long _startedAt = TimeProvider.System.GetTimestamp();

        private Storm(OutboxStormDatabase database, string way, int dispatchers, int transactions)
        {
            Database = database;
            _way = way;
            StartDispatchers(dispatchers);
            StartWriters(transactions);
        }

        public OutboxStormDatabase Database { get; }

        public TimeSpan Age => TimeProvider.System.GetElapsedTime(_startedAt);

        public static async Task<Storm> StartAsync(DatabaseFixture server, string way, int dispatchers, int transactions, string prepare = "select 1")
        {
            var database = new OutboxStormDatabase(await server.CreateDatabaseAsync());
            await HostProcess.RunAsync("OutboxHost", database.ConnectionString, "prepare");
            await database.ScalarAsync(prepare);
            return new(database, way, dispatchers, transactions);
        }

        public void StartDispatchers(int number) => _dispatchers = [.. Enumerable.Range(0, number).Select(StartDispatcher)];

        /// <param name="transactions">So many of each writer; 0: no writers.</param>
        public void StartWriters(int transactions)
        {
            _transactions = transactions;
            _writers = [.. Enumerable.Range(0, transactions > 0 ? WriterProcesses : 0).Select(_ => StartWriter())];
        }

        public Task<long> CommittedAsync() => Database.LongAsync("select sum(\"Version\") from \"Items\"");

        public Task<OutboxStormCheck> CheckAsync() => Database.CheckAsync();

        /// <summary>Between faults there is work rather than time: on a slow machine the processes would do nothing but start.</summary>
        public async Task WorkAsync(int messages)
        {
            var until = await CommittedAsync() + messages;
            for (var looks = 0; looks < 30 && await CommittedAsync() < until; looks++)
            {
                await Task.Delay(250, Token);
            }
        }

        public async Task InjectAsync(string fault, int number)
        {
            Assert.All(_dispatchers.Concat(_writers), p => Assert.False(p.Process.HasExited && p.Process.ExitCode != 0, $"A process has failed: {string.Join('\n', p.Lines)}"));
            switch (fault)
            {
                case "kill a dispatcher":
                    await _dispatchers[number % _dispatchers.Length].DisposeAsync();
                    _dispatchers[number % _dispatchers.Length] = StartDispatcher(number % _dispatchers.Length);
                    break;
                case "pause a dispatcher":
                    var paused = _dispatchers[number % _dispatchers.Length].Process;
                    await paused.PauseAsync(Token);
                    await Task.Delay(3000, Token); // past the time of its lanes
                    await paused.ContinueAsync(Token);
                    break;
                case "kill a writer":
                    await _writers[number % _writers.Length].DisposeAsync();
                    _writers[number % _writers.Length] = StartWriter();
                    break;
                default:
                    await Database.ScalarAsync("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
                    break;
            }
        }

        public async Task StopWritersAsync()
        {
            foreach (var writer in _writers)
            {
                await writer.DisposeAsync();
            }

            _writers = [];
        }

        public async Task WritersEndAsync()
        {
            foreach (var writer in _writers)
            {
                await writer.WaitAsync(seconds: 300);
                Assert.True(writer.Process.ExitCode == 0, string.Join('\n', writer.Lines));
            }
        }

        /// <summary>Returns when for every committed message there is an effect; what comes after that would be a second one, and is waited for a little.</summary>
        public async Task UntilDeliveredAsync(TimeSpan patience)
        {
            var since = TimeProvider.System.GetTimestamp();
            while ((await CheckAsync()).Lost > 0)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(since) < patience, $"{await CheckAsync()}");
                await Task.Delay(500, Token);
            }

            await UntilQuietAsync();
        }

        public Task<long> AppliedAsync() => Database.LongAsync("select count(*) from \"Applied\"");

        /// <summary>Returns when so many effects were written down.</summary>
        public async Task UntilAppliedAsync(long effects)
        {
            while (await AppliedAsync() < effects)
            {
                await Task.Delay(50, Token);
            }
        }

        /// <summary>Returns when nothing new was written down for two seconds.</summary>
        public async Task UntilQuietAsync()
        {
            long before;
            do
            {
                before = await AppliedAsync();
                await Task.Delay(2000, Token);
            }
            while (await AppliedAsync() != before);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var process in _dispatchers.Concat(_writers))
            {
                await process.DisposeAsync();
            }

            await Database.DisposeAsync();
        }

        private HostProcess StartDispatcher(int number) => HostProcess.Start("OutboxHost", Database.ConnectionString, null, "dispatch", $"dispatcher {number}", _way);

        /// <summary>Without the reset of pooled sessions, which would throw away numbers that a session has cached.</summary>
        private HostProcess StartWriter()
            => HostProcess.Start("OutboxHost", $"{Database.ConnectionString};No Reset On Close=true", null, "write", $"{WritersEach}", $"{_transactions}");
    }
}
