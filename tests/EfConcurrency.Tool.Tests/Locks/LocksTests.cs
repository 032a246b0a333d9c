using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Tool.Tests.Support;
using Npgsql;

namespace EfConcurrency.Tool.Tests.Locks;

public sealed class LocksTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Holders_are_listed_and_who_waits_for_whom_is_a_tree()
    {
        AdvisoryKey key = AdvisoryKey.Of("invoice:42", "shop");
        await database.ExecuteAsync($"insert into efc.advisory_lock_name (key, namespace, name) values ({key.Number}, 'shop', 'invoice:42')");
        await using var holder = await database.HoldAsync(key, "first");
        var waiting = WaitAsync(key, "second");
        await database.UntilWaitingForLocksAsync(1);

        var list = (await Efc.RunAsync(database.ConnectionString, "locks", "list", "-o", "json")).Expect(0).Json;
        var row = Assert.Single(list.EnumerateArray(), r => r.GetProperty("name").GetString() == "shop/invoice:42");
        Assert.Equal((holder.ProcessID, "first", 1), (row.GetProperty("pid").GetInt32(), row.GetProperty("application").GetString(), row.GetProperty("waiting").GetInt32()));

        var tree = (await Efc.RunAsync(database.ConnectionString, "locks", "tree", "--watch")).Expect(0);
        var root = Array.FindIndex(tree.Lines, l => l.StartsWith($"pid {holder.ProcessID} first", StringComparison.Ordinal));
        Assert.True(root >= 0, tree.Output);
        Assert.StartsWith("  pid ", tree.Lines[root + 1], StringComparison.Ordinal);
        Assert.Contains("second waits", tree.Lines[root + 1], StringComparison.Ordinal);
        Assert.Contains($"for shop/invoice:42 (advisory {key.Number})", tree.Lines[root + 1], StringComparison.Ordinal);

        await holder.CloseAsync();
        await waiting;
    }

    [Fact]
    public async Task A_lock_is_released_by_ending_its_holder_and_the_deed_is_written_down()
    {
        await using var holder = await database.HoldAsync(AdvisoryKey.Of("stuck:1"));
        var dry = (await Efc.RunAsync(database.ConnectionString, "locks", "release", "stuck:1", "--dry-run")).Expect(0);
        Assert.Contains($"held by process {holder.ProcessID} worker", dry.Error, StringComparison.Ordinal);
        Assert.True(await IsAliveAsync(holder));

        // Nobody to ask, and no reason: nothing is done.
        Assert.Contains("--yes", (await Efc.RunAsync(database.ConnectionString, "locks", "release", "stuck:1", "--reason", "test")).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("--reason", (await Efc.RunAsync(database.ConnectionString, "locks", "release", "stuck:1", "--yes")).Expect(2).OneError(), StringComparison.Ordinal);
        Assert.True(await IsAliveAsync(holder));

        (await Efc.RunAsync(database.ConnectionString, "locks", "release", "stuck:1", "--reason", "hangs since noon", "--yes")).Expect(0);
        Assert.False(await IsAliveAsync(holder));
        Assert.Equal("done", await database.ScalarAsync<string>("select outcome from efc.operator_action where verb = 'locks release' and target = 'stuck:1' and reason = 'hangs since noon'"));

        Assert.Contains("Nobody holds an advisory lock 'stuck:1'", (await Efc.RunAsync(database.ConnectionString, "locks", "release", "stuck:1", "--reason", "x", "--yes")).Expect(4).OneError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_holders_one_is_chosen_by_its_process()
    {
        AdvisoryKey key = 4711;
        await using var one = await database.HoldAsync(key, "one", isShared: true);
        await using var other = await database.HoldAsync(key, "other", isShared: true);

        var refused = (await Efc.RunAsync(database.ConnectionString, "locks", "release", "4711", "--reason", "x", "--yes")).Expect(2).OneError();
        Assert.Contains($"{one.ProcessID} one", refused, StringComparison.Ordinal);
        Assert.Contains($"{other.ProcessID} other", refused, StringComparison.Ordinal);

        (await Efc.RunAsync(database.ConnectionString, "locks", "release", "4711", "--pid", $"{other.ProcessID}", "--reason", "x", "--yes")).Expect(0);
        Assert.True(await IsAliveAsync(one));
        Assert.False(await IsAliveAsync(other));
    }

    [Fact]
    public async Task A_holder_that_changed_meanwhile_is_left_alone()
    {
        AdvisoryKey key = AdvisoryKey.Of("handed-over");
        await using var first = await database.HoldAsync(key, "first");
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, "locks", "release", "handed-over", "--reason", "test");
        await terminal.UntilShowsAsync("Type handed-over to go on:");

        await using (var unlock = new NpgsqlCommand("select pg_advisory_unlock_all()", first))
        {
            await unlock.ExecuteNonQueryAsync(Token);
        }

        await using var second = await database.HoldAsync(key, "second");
        await terminal.TypeAsync("handed-over");
        await terminal.EnterAsync();
        var screen = await terminal.UntilShowsAsync("[exit 5]");
        Assert.Contains("no longer holds lock handed-over", screen, StringComparison.Ordinal);
        Assert.True(await IsAliveAsync(first));
        Assert.True(await IsAliveAsync(second));
        Assert.Equal("failed", await database.ScalarAsync<string>("select outcome from efc.operator_action where target = 'handed-over'"));
    }

    [Fact]
    public async Task What_is_typed_must_be_the_name()
    {
        await using var holder = await database.HoldAsync(AdvisoryKey.Of("precious"));
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, "locks", "release", "precious", "--reason", "test");
        await terminal.UntilShowsAsync("Type precious to go on:");
        await terminal.TypeAsync("yes");
        await terminal.EnterAsync();
        Assert.Contains("Not confirmed. Nothing was changed.", await terminal.UntilShowsAsync("[exit 2]"), StringComparison.Ordinal);
        Assert.True(await IsAliveAsync(holder));
    }

    [Fact]
    public async Task The_tree_is_drawn_again_until_q_is_pressed()
    {
        AdvisoryKey key = AdvisoryKey.Of("watched");
        await using var holder = await database.HoldAsync(key, "first");
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, "locks", "tree", "--watch", "--interval", "200ms");
        await terminal.UntilShowsAsync("q quits");
        var waiting = WaitAsync(key, "late-comer");
        await terminal.UntilShowsAsync("late-comer waits");
        await holder.CloseAsync();
        await waiting;
        await terminal.TypeAsync("q");
        await terminal.UntilShowsAsync("[exit 0]");
    }

    private static async Task<bool> IsAliveAsync(NpgsqlConnection session)
    {
        try
        {
            await using var command = new NpgsqlCommand("select 1", session);
            return await command.ExecuteScalarAsync(Token) is 1;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task WaitAsync(AdvisoryKey key, string applicationName)
    {
        await using var waiter = await database.HoldAsync(key, applicationName);
    }
}
