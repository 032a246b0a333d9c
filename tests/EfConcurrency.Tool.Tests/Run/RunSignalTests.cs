using System.Globalization;
using EfConcurrency.Testing;
using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Run;

/// <summary>Signals, and leases that are lost while the command runs.</summary>
public sealed class RunSignalTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    /// <summary>Ends in its own way on SIGTERM. What it has started is ended too, or the work would go on.</summary>
    private const string Polite = "trap 'echo stopped; exit 9' TERM; sleep 300 & echo $!; wait";

    private readonly string _name = $"lock {Guid.NewGuid():n}";

    private string[] Lock => ["--lock", _name, "--ttl", "1500ms", "--grace", "30s"];

    [Theory]
    [InlineData("TERM", "trap 'echo stopped; exit 9' TERM; sleep 300 & echo $!; wait", 9)]
    [InlineData("TERM", "sleep 300 & echo $!; wait", 143)]
    [InlineData("INT", "trap 'echo stopped; kill $!; exit 3' INT; sleep 300 & echo $!; wait", 3)]
    [InlineData("HUP", "sleep 300 & echo $!; wait", 129)]
    public async Task A_signal_goes_to_the_command_and_to_what_it_started_and_efc_ends_after_it(string signal, string script, int exitCode)
    {
        await using var run = Running.Start(database.ConnectionString, Lock, script);
        var child = int.Parse((await run.ReadAsync())!, CultureInfo.InvariantCulture);
        await run.SignalAsync(signal);
        var result = await run.EndAsync();

        Assert.Empty(result.Expect(exitCode).Error);
        Assert.Equal(exitCode < 128 ? "stopped\n" : "", result.Output);
        if (signal != "INT")
        {
            // Shells have what they start in the background ignore SIGINT.
            await Running.UntilGoneAsync(child);
        }

        Assert.False(await database.ScalarAsync<bool>($"select expires_at > clock_timestamp() from efc.lease where name = '{_name}'"));
    }

    [Fact]
    public async Task When_the_lease_is_broken_the_command_is_stopped()
    {
        await using var run = Running.Start(database.ConnectionString, Lock, Polite);
        var child = int.Parse((await run.ReadAsync())!, CultureInfo.InvariantCulture);
        (await Efc.RunAsync(database.ConnectionString, "leases", "break", _name, "--reason", "test", "--yes")).Expect(0);
        var result = await run.EndAsync();

        Assert.Contains($"Lease {_name}", result.Expect(76).OneError(), StringComparison.Ordinal);
        Assert.Contains("broken", result.OneError(), StringComparison.Ordinal);
        Assert.Equal("stopped\n", result.Output);
        await Running.UntilGoneAsync(child);
    }

    [Fact]
    public async Task A_command_that_takes_its_time_to_end_is_given_it()
    {
        const string Script = "trap 'echo asked; read answer; echo \"$answer\"; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
        await using var run = Running.Start(database.ConnectionString, Lock, Script);
        await run.ExpectAsync("ready");
        (await Efc.RunAsync(database.ConnectionString, "leases", "break", _name, "--reason", "test", "--yes")).Expect(0);
        await run.ExpectAsync("asked");
        await database.ExecuteAsync("select 1");
        await run.WriteAsync("in its time");
        await run.ExpectAsync("in its time");
        (await run.EndAsync()).Expect(76);
    }

    [Fact]
    public async Task A_command_that_does_not_stop_is_killed_with_everything_it_started()
    {
        await using var run = Running.Start(database.ConnectionString, ["--lock", _name, "--ttl", "600ms", "--grace", "100ms"], "trap '' TERM; sleep 300 & echo $!; wait");
        var child = int.Parse((await run.ReadAsync())!, CultureInfo.InvariantCulture);
        await database.ExecuteAsync($"update efc.lease set holder = gen_random_uuid() where name = '{_name}'");

        (await run.EndAsync()).Expect(76);
        await Running.UntilGoneAsync(child);
    }

    [Fact]
    public async Task When_the_database_is_gone_for_longer_than_the_lease_the_command_is_stopped()
    {
        await using var proxy = FaultProxy.Start(database.ConnectionString);
        await using var run = Running.Start(proxy.ConnectionString, ["--lock", _name, "--ttl", "1s", "--grace", "30s"], Polite);
        Assert.NotNull(await run.ReadAsync());
        proxy.BlackHole = true;
        var result = await run.EndAsync();

        Assert.Contains("could not be reached", result.Expect(76).OneError(), StringComparison.Ordinal);
        Assert.Equal("stopped\n", result.Output);
    }

    [Fact]
    public async Task A_loss_that_is_found_when_the_command_has_ended_is_told()
    {
        await using var run = Running.Start(database.ConnectionString, ["--lock", _name, "--ttl", "1h"], "echo ready; cat");
        await run.ExpectAsync("ready");
        await database.ExecuteAsync($"update efc.lease set holder = gen_random_uuid() where name = '{_name}'");

        Assert.Contains("ended with 0", (await run.EndAsync()).Expect(76).OneError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_C_in_a_terminal_reaches_the_command_once()
    {
        const string Script = "n=0; trap 'n=$((n+1)); echo \"int $n\"' INT; echo ready; while ! read line; do :; done; echo \"count $n\"; exec sleep 300";
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, "run", "--lock", _name, "--", "sh", "-c", Script);
        await terminal.UntilShowsAsync("ready");
        await terminal.TypeAsync("\u0003");
        await terminal.UntilShowsAsync("int 1");
        await terminal.TypeAsync("go");
        await terminal.EnterAsync();
        await terminal.UntilShowsAsync("count 1");
    }
}
