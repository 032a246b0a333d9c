using EfConcurrency.Testing;
using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Run;

public sealed class RunSlotTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private const string Work = "echo \"attempt $EFC_ATTEMPT\"; cat";

    private readonly string _job = $"job {Guid.NewGuid():n}";

    private string[] Slot => ["--slot", _job, "--every", "7d", "--ttl", "1500ms"];

    [Fact]
    public async Task A_job_runs_once_in_its_period_and_afterwards_nothing_is_said()
    {
        await using var run = Running.Start(database.ConnectionString, Slot, "echo \"$EFC_JOB|$EFC_SLOT|$EFC_ATTEMPT|$EFC_FENCING_TOKEN|$EFC_LEASE\"");
        var result = (await run.EndAsync()).Expect(0);
        Assert.Equal(
            await database.ScalarAsync<string>($"""
                select job || '|' || to_char(slot_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '|1|' || (extract(epoch from slot_at) * 1000)::bigint * 32768 + 1 || '|'
                from efc.job_slot where job = '{_job}' and completed_at is not null and outcome = 'exit 0'
                    and slot_at = date_bin('7 days', claimed_at + interval '30 s', '2001-01-01Z')
                """),
            result.Output.TrimEnd());

        var again = (await Efc.RunAsync(database.ConnectionString, ["run", .. Slot, "--", "echo", "again"])).Expect(0);
        Assert.Empty(again.Output + again.Error);
    }

    [Fact]
    public async Task While_one_machine_is_at_it_the_others_say_so_and_when_it_fails_another_may_run_it()
    {
        await using var first = Running.Start(database.ConnectionString, Slot, "echo ready; read line; exit 5");
        await first.ExpectAsync("ready");
        Assert.Contains($"/{first.Process.Id} efc run sh", (await Efc.RunAsync(database.ConnectionString, ["run", .. Slot, "--", "echo", "ran"])).Expect(75).OneError(), StringComparison.Ordinal);

        await using var waiting = Running.Start(database.ConnectionString, [.. Slot, "--wait", "1h"], Work);
        (await first.EndAsync()).Expect(5);
        await waiting.ExpectAsync("attempt 2");
        (await waiting.EndAsync()).Expect(0);
    }

    [Fact]
    public async Task When_efc_is_killed_the_slot_is_claimed_again_when_its_time_is_over()
    {
        await using var first = Running.Start(database.ConnectionString, Slot, Work);
        await first.ExpectAsync("attempt 1");
        await first.Process.KillAsync(TestContext.Current.CancellationToken);
        await using var second = Running.Start(database.ConnectionString, [.. Slot, "--wait", "1h"], Work);
        await second.ExpectAsync("attempt 2");
        (await second.EndAsync()).Expect(0);
    }

    [Fact]
    public async Task A_command_that_is_told_to_stop_leaves_the_slot_to_others()
    {
        await using var run = Running.Start(database.ConnectionString, Slot, "echo ready; exec sleep 300");
        await run.ExpectAsync("ready");
        await run.SignalAsync("TERM");
        (await run.EndAsync()).Expect(143);
        await using var next = Running.Start(database.ConnectionString, [.. Slot, "--wait", "10s"], Work);
        await next.ExpectAsync("attempt 2");
    }

    [Theory]
    [InlineData("update efc.job_slot set claimed_by = gen_random_uuid() where job = '{0}'")]
    [InlineData("delete from efc.job_slot where job = '{0}'")]
    public async Task When_the_slot_is_lost_the_command_is_stopped(string loss)
    {
        await using var run = Running.Start(database.ConnectionString, Slot, "trap 'echo stopped; exit 0' TERM; echo ready; sleep 300 & wait");
        await run.ExpectAsync("ready");
        await database.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, loss, _job));
        var result = await run.EndAsync();
        Assert.Contains(_job, result.Expect(76).OneError(), StringComparison.Ordinal);
        Assert.Equal("stopped\n", result.Output);
    }

    [Fact]
    public async Task When_the_database_is_gone_for_longer_than_the_slot_the_command_is_stopped()
    {
        await using var proxy = FaultProxy.Start(database.ConnectionString);
        await using var run = Running.Start(proxy.ConnectionString, Slot, "trap 'echo stopped; exit 0' TERM; echo ready; sleep 300 & wait");
        await run.ExpectAsync("ready");
        proxy.BlackHole = true;
        Assert.Contains("could not be reached", (await run.EndAsync()).Expect(76).OneError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_slot_is_kept_for_longer_than_its_time()
    {
        await using var run = Running.Start(database.ConnectionString, ["--slot", _job, "--every", "7d", "--ttl", "600ms"], Work);
        await run.ExpectAsync("attempt 1");
        while (!await database.ScalarAsync<bool>($"select expires_at > claimed_at + interval '1800 ms' from efc.job_slot where job = '{_job}'"))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        (await run.EndAsync()).Expect(0);
        Assert.Equal(1, await database.ScalarAsync<long>($"select attempt from efc.job_slot where job = '{_job}'"));
    }
}
