using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Testing;
using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Top;

public sealed class TopTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    [Fact]
    public async Task The_screen_follows_the_database_in_colours_until_q_is_pressed()
    {
        AdvisoryKey key = AdvisoryKey.Of("busy");
        await database.ExecuteAsync("insert into efc.lease (name, fencing_token, holder, holder_info, renewed_at, expires_at) values ('soon', 1, gen_random_uuid(), 'a/1', now(), now() + interval '1 hour')");
        await using var holder = await database.HoldAsync(key, "first");
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, "top", "--interval", "300ms", "--max-lock-wait", "0");
        await terminal.UntilShowsAsync("leases that expire next");
        var waiting = WaitAsync(key);
        var screen = await terminal.UntilShowsAsync("longest waits");
        Assert.Contains("late-comer waits", screen, StringComparison.Ordinal);
        Assert.Contains("attention", screen, StringComparison.Ordinal);
        Assert.Contains("\u001b[", await terminal.ScreenAsync(withColors: true), StringComparison.Ordinal);
        await holder.CloseAsync();
        await waiting;
        await terminal.UntilShowsAsync("Nobody waits for a lock.");
        await terminal.TypeAsync("q");
        await terminal.UntilShowsAsync("[exit 0]");
    }

    [Fact]
    public async Task A_server_that_is_away_for_a_moment_is_told_and_asked_again_until_Ctrl_C()
    {
        await using var proxy = FaultProxy.Start(database.ConnectionString);
        await using var terminal = await Terminal.StartAsync(proxy.ConnectionString, "top", "--interval", "200ms");
        await terminal.UntilShowsAsync("q quits");
        proxy.BlackHole = true;
        proxy.CutAll();
        await terminal.UntilShowsAsync("can't be reached");
        proxy.BlackHole = false;
        await terminal.UntilShowsAsync("locks ");
        await terminal.InterruptAsync();
        await terminal.UntilShowsAsync("[exit 130]");
    }

    [Fact]
    public async Task Without_a_terminal_it_looks_once()
    {
        var json = (await Efc.RunAsync(database.ConnectionString, "top", "-o", "json", "--max-lock-wait", "7d")).Expect(0).Json;
        Assert.Equal(["status", "tree", "longestWaits", "expiringLeases"], json.EnumerateObject().Select(p => p.Name));
    }

    private async Task WaitAsync(AdvisoryKey key)
    {
        await using var waiter = await database.HoldAsync(key, "late-comer");
    }
}
