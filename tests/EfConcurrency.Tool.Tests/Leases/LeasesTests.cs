using EfConcurrency.Fencing;
using EfConcurrency.Tool.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Tests.Leases;

public sealed class LeasesTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broken_lease_is_free_and_its_holder_is_fenced_also_when_a_fenced_transaction_was_open()
    {
        await using var db = database.Open();
        await using var lease = (await db.Leases().TryAcquireAsync(ShopContext.Lease, new() { HolderInfo = "night-worker/1" }, Token)).Lease!;
        var list = (await Efc.RunAsync(database.ConnectionString, "leases", "list", "--held", "-o", "json")).Expect(0).Json;
        var row = Assert.Single(list.EnumerateArray(), l => l.GetProperty("name").GetString() == ShopContext.Lease);
        Assert.Equal(("night-worker/1", lease.FencingToken), (row.GetProperty("holder").GetString(), row.GetProperty("fencingToken").GetInt64()));

        // A fenced save, not committed yet: the break waits for it, and refuses what comes after.
        db.UseLease(lease);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        db.Reports.Add(new() { Text = "in time" });
        await db.SaveChangesAsync(Token);
        using var breaking = Efc.Start(database.ConnectionString, "leases", "break", ShopContext.Lease, "--reason", "hangs", "--yes");
        await database.UntilWaitingForLocksAsync(1);
        await transaction.CommitAsync(Token);
        Assert.Contains($"Lease {ShopContext.Lease} is free", (await Efc.EndAsync(breaking)).Expect(0).Error, StringComparison.Ordinal);

        db.Reports.Add(new() { Text = "too late" });
        await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token));
        Assert.Equal("done", await database.ScalarAsync<string>($"select outcome from efc.operator_action where verb = 'leases break' and target = '{ShopContext.Lease}'"));
    }

    [Fact]
    public async Task A_break_that_can_not_have_the_row_changes_nothing()
    {
        await database.ExecuteAsync("insert into efc.lease (name, fencing_token, holder, holder_info, expires_at) values ('kept', 7, gen_random_uuid(), 'a/1', now() + interval '1 hour')");
        await using var writer = await database.ConnectAsync();
        await using var transaction = await writer.BeginTransactionAsync(Token);
        await using (var guard = new Npgsql.NpgsqlCommand("select 1 from efc.lease where name = 'kept' for key share", writer, transaction))
        {
            await guard.ExecuteNonQueryAsync(Token);
        }

        var refused = (await Efc.RunAsync(database.ConnectionString, "leases", "break", "kept", "--reason", "test", "--yes")).Expect(5);
        Assert.Contains("kept", refused.Error, StringComparison.Ordinal);
        await transaction.RollbackAsync(Token);
        Assert.Equal(7L, await database.ScalarAsync<long>("select fencing_token from efc.lease where name = 'kept' and holder is not null"));
        Assert.Equal("failed", await database.ScalarAsync<string>("select outcome from efc.operator_action where target = 'kept'"));
    }

    [Fact]
    public async Task Leases_are_shown_by_state_and_a_wrong_name_is_none()
    {
        await database.ExecuteAsync("""
            insert into efc.lease (name, fencing_token, holder, holder_info, renewed_at, expires_at) values
                ('orphan', 1, gen_random_uuid(), 'b/2', now() - interval '1 hour', now() - interval '59 min'), ('idle', 3, null, 'c/3', now() - interval '1 day', '-infinity')
            """);
        var abandoned = (await Efc.RunAsync(database.ConnectionString, "leases", "list", "--abandoned")).Expect(0);
        Assert.Equal(["lease", "orphan"], abandoned.Lines.Select(l => l.Split(' ')[0]));
        Assert.Contains("abandoned", abandoned.Lines[1], StringComparison.Ordinal);

        Assert.Contains("no lease 'nobody'", (await Efc.RunAsync(database.ConnectionString, "leases", "break", "nobody", "--dry-run")).Expect(4).OneError(), StringComparison.Ordinal);
        var dry = (await Efc.RunAsync(database.ConnectionString, "leases", "break", "orphan", "--dry-run")).Expect(0);
        Assert.Contains("was left by b/2", dry.Error, StringComparison.Ordinal);
        Assert.Equal(1L, await database.ScalarAsync<long>("select fencing_token from efc.lease where name = 'orphan'"));
    }

    [Fact]
    public async Task On_a_terminal_the_name_is_typed_again()
    {
        await database.ExecuteAsync("insert into efc.lease (name, fencing_token, holder, holder_info, renewed_at, expires_at) values ('typed', 1, gen_random_uuid(), 'b/2', now(), now() + interval '1 hour')");
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, "leases", "break", "typed", "--reason", "test");
        await terminal.UntilShowsAsync("Type typed to go on:");
        await terminal.TypeAsync("typed");
        await terminal.EnterAsync();
        Assert.Contains("Lease typed is free", await terminal.UntilShowsAsync("[exit 0]"), StringComparison.Ordinal);
        Assert.True(await database.ScalarAsync<bool>("select fencing_token > 1 and holder is null from efc.lease where name = 'typed'"));
    }

    [Fact]
    public async Task A_lease_that_another_acquired_meanwhile_is_left_alone()
    {
        await database.ExecuteAsync("insert into efc.lease (name, fencing_token, holder, holder_info, renewed_at, expires_at) values ('taken-over', 1, gen_random_uuid(), 'b/2', now(), now() + interval '1 hour')");
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, "leases", "break", "taken-over", "--reason", "test");
        await terminal.UntilShowsAsync("Type taken-over to go on:");
        await database.ExecuteAsync("update efc.lease set fencing_token = 2, holder = gen_random_uuid(), holder_info = 'c/3' where name = 'taken-over'");
        await terminal.TypeAsync("taken-over");
        await terminal.EnterAsync();
        Assert.Contains("no longer under token 1", await terminal.UntilShowsAsync("[exit 5]"), StringComparison.Ordinal);
        Assert.True(await database.ScalarAsync<bool>("select fencing_token = 2 and holder_info = 'c/3' and expires_at > now() from efc.lease where name = 'taken-over'"));
        Assert.Equal("failed", await database.ScalarAsync<string>("select outcome from efc.operator_action where target = 'taken-over'"));
    }
}
