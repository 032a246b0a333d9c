using System.Text.Json;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.PostgresTests.Leases;

/// <summary>
/// Eight processes acquire, write and release, while they are paused past their time, killed, cut off, have their sessions ended, and one of
/// them lives two minutes in the past. Judged by the order in which the database let things happen.
/// </summary>
[Collection(nameof(Storms))]
public sealed class LeaseStormTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private const int Contenders = 8;

    /// <summary>So many reach the server through a proxy of their own, which can turn into a black hole.</summary>
    private const int Proxied = 4;

    private const int Acquisitions = 5000;
    private const int AcquisitionsBetweenFaults = 150;
    private static readonly string[] Faults = ["pause", "kill", "terminate", "black hole"];
    private static readonly string[] Paths = ["save", "bulk", "raw", "psql"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_5000_acquisitions_no_two_holders_overlap_tokens_rise_and_no_stale_write_is_accepted()
    {
        await HostProcess.RunAsync("LeaseHost", database.ConnectionString, "prepare");
        await using var storm = new Storm(database);
        var faults = Faults.ToDictionary(f => f, _ => 0);
        var random = new Random(1);
        for (var i = 0; await AcquiredAsync() < Acquisitions || faults.Values.Min() < 3; i++)
        {
            var fault = Faults[i % Faults.Length];
            await storm.InjectAsync(fault, random.Next(Contenders));
            faults[fault]++;
            await WorkAsync();
            Assert.True(storm.Age < TimeSpan.FromMinutes(8), $"{await AcquiredAsync()} acquisitions after {storm.Age}");
        }

        var reports = await storm.EndAsync();
        var (acquired, wrote) = await CheckEventsAsync();

        Assert.True(acquired >= Acquisitions);
        Assert.Equal(wrote, await database.ScalarAsync<long>("select sum(\"Value\") from \"Registers\""));
        Assert.All(reports, r => Assert.Empty(r.StaleAccepted));
        Assert.All(Paths, path => Assert.True(reports.Sum(r => r.Accepted.GetValueOrDefault(path)) > 0, path));
        Assert.All(Paths, path => Assert.True(reports.Sum(r => r.StaleRefused.GetValueOrDefault(path)) > 0, path));
        Assert.InRange(reports[^1].ClockAheadSeconds ?? 0, -180, -60); // two minutes, and how long it took to ask
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{storm.Age.TotalSeconds:0} s: {acquired} acquisitions, {wrote} writes, faults {JsonSerializer.Serialize(faults)}, "
            + $"stale on purpose and refused {JsonSerializer.Serialize(Paths.ToDictionary(p => p, p => reports.Sum(r => r.StaleRefused.GetValueOrDefault(p))))}, "
            + $"refused by surprise {reports.Sum(r => r.Rejected.Values.Sum())}, errors {reports.Sum(r => r.Errors)}");
    }

    /// <summary>Between faults there is work rather than time: on a slow machine the processes would do nothing but start.</summary>
    private async Task WorkAsync()
    {
        var until = await AcquiredAsync() + AcquisitionsBetweenFaults;
        for (var looks = 0; looks < 60 && await AcquiredAsync() < until; looks++)
        {
            await Task.Delay(250, Token);
        }
    }

    private Task<long> AcquiredAsync() => database.ScalarAsync<long>("select count(*) from event where kind = 'acquired'");

    /// <summary>Every write carries the token that was current when it was let in, and every new token is above all before.</summary>
    private async Task<(long Acquired, long Wrote)> CheckEventsAsync()
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand("select kind, name, token from event order by id", connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var current = new Dictionary<string, long>();
        long acquired = 0, wrote = 0;
        while (await reader.ReadAsync(Token))
        {
            var (kind, name, token) = (reader.GetString(0), reader.GetString(1), reader.GetInt64(2));
            if (kind == "wrote")
            {
                wrote++;
                Assert.Equal((name, current[name]), (name, token));
            }
            else
            {
                acquired += kind == "acquired" ? 1 : 0;
                Assert.True(token > current.GetValueOrDefault(name), $"{name}: {token} after {current.GetValueOrDefault(name)}");
                current[name] = token;
            }
        }

        return (acquired, wrote);
    }

    private sealed class Storm : IAsyncDisposable
    {
        private readonly DatabaseFixture _database;
        private readonly FaultProxy[] _proxies;
        private readonly HostProcess[] _hosts;
        private readonly long _startedAt = TimeProvider.System.GetTimestamp();

        public Storm(DatabaseFixture database)
        {
            _database = database;
            _proxies = [.. Enumerable.Range(0, Proxied).Select(_ => database.StartProxy(c => (c.Timeout, c.CommandTimeout, c.MaxPoolSize) = (3, 3, 5)))];
            _hosts = [.. Enumerable.Range(0, Contenders).Select(Start)];
        }

        public TimeSpan Age => TimeProvider.System.GetElapsedTime(_startedAt);

        public async Task InjectAsync(string fault, int number)
        {
            Assert.All(_hosts, host => Assert.False(host.Process.HasExited, $"A contender has ended by itself: {string.Join('\n', host.Lines)}"));
            switch (fault)
            {
                case "pause":
                    await _hosts[number].Process.PauseAsync(Token);
                    await Task.Delay(1400, Token); // well past its time
                    await _hosts[number].Process.ContinueAsync(Token);
                    break;
                case "kill":
                    await _hosts[number].DisposeAsync();
                    _hosts[number] = Start(number);
                    break;
                case "terminate":
                    await _database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
                    break;
                default:
                    _proxies[number % Proxied].BlackHole = true;
                    await Task.Delay(1400, Token);
                    _proxies[number % Proxied].BlackHole = false;
                    break;
            }
        }

        public async Task<List<ReportOfContender>> EndAsync()
        {
            // All at once: those that still run would go on as fast as they can.
            Array.ForEach(_hosts, host => host.Process.StandardInput.Close());
            var reports = new List<ReportOfContender>();
            foreach (var host in _hosts)
            {
                await host.EndAsync();
                reports.Add(JsonSerializer.Deserialize<ReportOfContender>(host.Lines[^1]) ?? throw new InvalidOperationException(string.Join('\n', host.Lines)));
            }

            return reports;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var host in _hosts)
            {
                await host.DisposeAsync();
            }

            foreach (var proxy in _proxies)
            {
                await proxy.DisposeAsync();
            }
        }

        /// <summary>The last one's wall clock is two minutes behind.</summary>
        private HostProcess Start(int number)
            => HostProcess.Start(
                "LeaseHost", number < Proxied ? _proxies[number].ConnectionString : _database.ConnectionString, number == Contenders - 1 ? "-120s" : null, "contend", $"{number}");
    }

    /// <summary>As the contender writes it.</summary>
    private sealed record ReportOfContender(
        Dictionary<string, int> Accepted, Dictionary<string, int> Rejected, Dictionary<string, int> StaleRefused, Dictionary<string, int> StaleAccepted, int Errors, double? ClockAheadSeconds);
}
