using EfConcurrency.Testing;
using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Run;

public sealed class RunLockTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    /// <summary>Says that it runs, and under which token; ends when its stdin does.</summary>
    private const string Work = "echo \"token $EFC_FENCING_TOKEN\"; cat";

    private readonly string _name = $"lock {Guid.NewGuid():n}";

    private string[] Lock => ["--lock", _name, "--ttl", "1500ms"];

    [Fact]
    public async Task The_command_has_stdin_stdout_stderr_the_token_and_its_own_exit_code()
    {
        await using var run = Running.Start(database.ConnectionString, Lock, "cat; echo \"$EFC_LEASE: $EFC_FENCING_TOKEN\" >&2; exit 7");
        await run.WriteAsync("through");
        var result = (await run.EndAsync()).Expect(7);

        Assert.Equal("through\n", result.Output);
        Assert.Equal($"{_name}: {await TokenAsync()}\n", result.Error);
        Assert.False(await IsHeldAsync());
    }

    [Theory]
    [InlineData("kill -9 $$", 137)]
    [InlineData("exit 0", 0)]
    public async Task A_command_that_is_killed_ends_as_shells_say_it(string script, int exitCode)
    {
        await using var run = Running.Start(database.ConnectionString, Lock, script);
        Assert.Empty((await run.EndAsync()).Expect(exitCode).Error);
        Assert.False(await IsHeldAsync());
    }

    [Fact]
    public async Task A_command_that_can_not_be_run_has_the_exit_code_of_shells_and_takes_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("efc-");
        var script = Path.Combine(folder.FullName, "script");
        await File.WriteAllTextAsync(script, "echo here", TestContext.Current.CancellationToken);
        (await Efc.RunAsync(database.ConnectionString, ["run", .. Lock, "--", script])).Expect(126).OneError();
        (await Efc.RunAsync(database.ConnectionString, ["run", .. Lock, "--", folder.FullName])).Expect(126).OneError();

        // Beside the program itself, where .NET would look first.
        Assert.Contains("no such command", (await Efc.RunAsync(database.ConnectionString, ["run", .. Lock, "--", "efc.dll"])).Expect(127).OneError(), StringComparison.Ordinal);
        Assert.Equal(0, await database.ScalarAsync<long>($"select count(*) from efc.lease where name = '{_name}'"));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Of_several_machines_at_the_same_time_one_runs_it_and_the_others_say_who_does()
    {
        var runs = Enumerable.Range(0, 3).Select(_ => Running.Start(database.ConnectionString, Lock, Work)).ToList();
        var firstLines = await Task.WhenAll(runs.Select(r => r.ReadAsync()));
        var winner = runs[Assert.Single(Enumerable.Range(0, 3), i => firstLines[i] is not null)];
        foreach (var loser in runs.Where(r => r != winner))
        {
            Assert.Contains($"{Environment.MachineName}/{winner.Process.Id} efc run sh", (await loser.EndAsync()).Expect(75).OneError(), StringComparison.Ordinal);
        }

        Assert.Empty((await Efc.RunAsync(database.ConnectionString, ["run", .. Lock, "--conflict-exit-code", "0", "--", "echo", "ran"])).Expect(0).Output);
        (await Efc.RunAsync(database.ConnectionString, ["run", .. Lock, "--conflict-exit-code", "9", "--", "echo", "ran"])).Expect(9);
        (await winner.EndAsync()).Expect(0);
        runs.ForEach(r => r.Process.Dispose());
    }

    [Fact]
    public async Task Who_waits_is_next_under_a_higher_token()
    {
        await using var first = Running.Start(database.ConnectionString, Lock, Work);
        var token = await first.ReadAsync();
        await using var second = Running.Start(database.ConnectionString, [.. Lock, "--wait", "1h"], Work);
        await using var third = Running.Start(database.ConnectionString, [.. Lock, "--wait", "1h"], Work);
        await third.SignalAsync("TERM");
        Assert.Empty((await third.EndAsync()).Expect(143).Output);

        (await first.EndAsync()).Expect(0);
        Assert.True(Number(await second.ReadAsync()) > Number(token));
        (await second.EndAsync()).Expect(0);
    }

    [Fact]
    public async Task When_efc_is_killed_the_lease_runs_out_and_the_next_has_a_higher_token()
    {
        await using var first = Running.Start(database.ConnectionString, Lock, Work);
        var token = await first.ReadAsync();
        await first.Process.KillAsync(TestContext.Current.CancellationToken);
        Assert.True(await IsHeldAsync());

        await using var second = Running.Start(database.ConnectionString, [.. Lock, "--wait", "1h"], Work);
        Assert.True(Number(await second.ReadAsync()) > Number(token));
        (await second.EndAsync()).Expect(0);
    }

    [Fact]
    public async Task The_lease_is_kept_for_longer_than_its_time()
    {
        await using var run = Running.Start(database.ConnectionString, ["--lock", _name, "--ttl", "600ms"], Work);
        await run.ReadAsync();
        var acquired = await database.ScalarAsync<DateTime>($"select acquired_at from efc.lease where name = '{_name}'");
        while (!await database.ScalarAsync<bool>($"select renewed_at > acquired_at + interval '1200 ms' from efc.lease where name = '{_name}'"))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        Assert.Equal(acquired, await database.ScalarAsync<DateTime>($"select acquired_at from efc.lease where name = '{_name}'"));
        (await run.EndAsync()).Expect(0);
    }

    private static long Number(string? line) => long.Parse(line!.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    private Task<long> TokenAsync() => database.ScalarAsync<long>($"select fencing_token from efc.lease where name = '{_name}'");

    private Task<bool> IsHeldAsync() => database.ScalarAsync<bool>($"select expires_at > clock_timestamp() from efc.lease where name = '{_name}'");
}
