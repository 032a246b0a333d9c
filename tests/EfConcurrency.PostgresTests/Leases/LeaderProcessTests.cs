using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;

namespace EfConcurrency.PostgresTests.Leases;

/// <summary>Leaders as processes of their own: ended, killed, paused.</summary>
public sealed class LeaderProcessTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SIGTERM_cancels_the_body_waits_for_it_and_releases_so_that_the_next_leads()
    {
        await using var first = await LeadAsync("term");
        await using var second = Follow("term");
        await first.Process.TerminateAsync(Token);
        await first.WaitAsync();

        Assert.Equal(["cancelled", "body ended", "stopped"], first.Lines.Skip(1));
        Assert.Equal(0, first.Process.ExitCode);
        Assert.True(TokenOf(await second.UntilSaysAsync("leading")) > TokenOf(first.Lines[0]));
    }

    [Fact]
    public async Task A_killed_leader_is_followed_when_its_time_is_over()
    {
        await using var first = await LeadAsync("kill");
        await using var second = Follow("kill");
        await first.Process.KillAsync(Token);
        Assert.True(TokenOf(await second.UntilSaysAsync("leading")) > TokenOf(first.Lines[0]));
    }

    [Fact]
    public async Task A_paused_leader_is_followed_and_stands_down_when_it_wakes()
    {
        await using var first = await LeadAsync("pause");
        await using var second = Follow("pause");
        await first.Process.PauseAsync(Token);
        await second.UntilSaysAsync("leading");
        Assert.DoesNotContain("cancelled", first.Lines);
        await first.Process.ContinueAsync(Token);
        await first.UntilSaysAsync("body ended");
    }

    [Fact]
    public async Task A_body_that_ignores_its_cancellation_ends_the_process_when_that_is_asked_for()
    {
        await PrepareAsync();
        await using var stubborn = HostProcess.Start("LeaseHost", database.ConnectionString, null, "lead", "stubborn", "stubborn");
        await stubborn.UntilSaysAsync("leading");
        await database.ExecuteAsync("update efc.lease set fencing_token = fencing_token + 1, holder = null where name = 'stubborn'");
        await stubborn.WaitAsync();

        Assert.NotEqual(0, stubborn.Process.ExitCode);
        Assert.Contains(stubborn.Lines, l => l.Contains("FailFastAfter", StringComparison.Ordinal));
    }

    private static long TokenOf(string line) => long.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    private async Task<HostProcess> LeadAsync(string name)
    {
        await PrepareAsync();
        var first = Follow(name);
        await first.UntilSaysAsync("leading");
        return first;
    }

    private HostProcess Follow(string name) => HostProcess.Start("LeaseHost", database.ConnectionString, null, "lead", name);

    private async Task PrepareAsync()
    {
        if (!await database.ScalarAsync<bool>("select to_regclass('efc.lease') is not null"))
        {
            await HostProcess.RunAsync("LeaseHost", database.ConnectionString, "prepare");
        }
    }
}
