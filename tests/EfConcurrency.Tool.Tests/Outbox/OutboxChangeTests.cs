using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Outbox;

public sealed class OutboxChangeTests(ToolDatabase database) : IClassFixture<ToolDatabase>, IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await OutboxSeed.ResetAsync(database, "bus");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_replay_of_a_dead_letter_begins_anew_and_is_written_down()
    {
        var id = await OutboxSeed.PendAsync(database, state: 2);
        var done = (await Efc.RunAsync(database.ConnectionString, "outbox", "replay", $"{id}", "--reason", "broker is back", "--yes")).Expect(0);

        Assert.Contains($"Message {id} will be delivered", done.Error, StringComparison.Ordinal);
        Assert.Equal("0 0", await database.ScalarAsync<string>($"select state || ' ' || attempts from efc.outbox_pending where message_id = '{id}'"));
        Assert.Equal(
            $"outbox replay|{id}|broker is back|done",
            await database.ScalarAsync<string>("select concat_ws('|', verb, target, reason, outcome) from efc.operator_action order by id desc limit 1"));
    }

    [Fact]
    public async Task A_message_that_is_retried_is_parked()
    {
        var id = await OutboxSeed.PendAsync(database, state: 0, key: "k");
        await OutboxSeed.PendAsync(database, state: 0, key: "k", attempts: 0);
        var done = (await Efc.RunAsync(database.ConnectionString, "outbox", "park", $"{id}", "--reason", "poison", "--yes")).Expect(0);

        Assert.Contains("1 later message of its key can go on", done.Error, StringComparison.Ordinal);
        Assert.Equal((short)2, await database.ScalarAsync<short>($"select state from efc.outbox_pending where message_id = '{id}'"));
        Assert.Contains("it is dead", (await Efc.RunAsync(database.ConnectionString, "outbox", "park", $"{id}", "--reason", "again", "--yes")).Expect(4).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_of_a_time_are_replayed_and_others_are_not()
    {
        var old = await OutboxSeed.PendAsync(database, state: 2, age: TimeSpan.FromDays(3));
        var middle = await OutboxSeed.PendAsync(database, state: 2, age: TimeSpan.FromHours(5));
        var young = await OutboxSeed.PendAsync(database, state: 2);
        Assert.Contains(
            "2 dead letters", (await Contents.UnchangedAsync(database, "outbox", "replay", "--dead-since", "1d", "--dry-run")).Expect(0).Error, StringComparison.Ordinal);
        (await Efc.RunAsync(database.ConnectionString, "outbox", "replay", "--dead-since", "1d", "--until", "1h", "--reason", "outage", "--yes")).Expect(0);

        Assert.Equal($"{middle}", await database.ScalarAsync<string>("select string_agg(message_id::text, ' ') from efc.outbox_pending where state = 0"));
        (await Efc.RunAsync(database.ConnectionString, "outbox", "replay", "--dead-since", "2026-01-01", "--reason", "rest", "--yes")).Expect(0);
        Assert.Equal(0, await database.ScalarAsync<long>($"select count(*) from efc.outbox_pending where state = 2 and message_id in ('{old}', '{young}')"));
    }

    [Fact]
    public async Task Old_dead_letters_are_purged_and_nothing_else()
    {
        await OutboxSeed.PendAsync(database, state: 2, age: TimeSpan.FromDays(8));
        var waiting = await OutboxSeed.PendAsync(database, state: 0, age: TimeSpan.FromDays(8));
        var young = await OutboxSeed.PendAsync(database, state: 2);
        var done = (await Efc.RunAsync(database.ConnectionString, "outbox", "purge", "--older-than", "7d", "--reason", "monthly", "--yes")).Expect(0);

        Assert.Contains("Deleted: 1 dead letter of sink bus.", done.Error, StringComparison.Ordinal);
        Assert.Equal(new[] { waiting, young }.Order(), (await database.ScalarAsync<Guid[]>("select array_agg(message_id) from efc.outbox_pending")).Order());
        Assert.Contains("0 dead letters", (await Efc.RunAsync(database.ConnectionString, "outbox", "purge", "--older-than", "7d", "--reason", "again", "--yes")).Expect(0).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("replay", 0)]
    [InlineData("park", 1)]
    [InlineData("purge", 2)]
    public async Task Nothing_is_changed_by_a_dry_run_or_without_a_confirmation_or_a_reason(string verb, int state)
    {
        var id = await OutboxSeed.PendAsync(database, state, age: TimeSpan.FromDays(8));
        string[] what = ["outbox", verb, .. verb == "purge" ? ["--older-than", "7d"] : new[] { $"{id}" }];

        Assert.Contains("Dry run: nothing was changed.", (await Contents.UnchangedAsync(database, [.. what, "--dry-run"])).Expect(0).Error, StringComparison.Ordinal);
        Assert.Contains("--yes", (await Contents.UnchangedAsync(database, [.. what, "--reason", "r"])).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("--reason", (await Contents.UnchangedAsync(database, [.. what, "--yes"])).Expect(2).OneError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_several_sinks_the_one_to_change_must_be_named()
    {
        await OutboxSeed.ResetAsync(database, "bus", "mail");
        var id = await OutboxSeed.PendAsync(database, state: 2, sink: "mail");
        Assert.Contains("bus, mail", (await Contents.UnchangedAsync(database, "outbox", "replay", $"{id}", "--reason", "r", "--yes")).Expect(2).OneError(), StringComparison.Ordinal);
        Assert.Contains("delivered or purged", (await Contents.UnchangedAsync(database, "outbox", "replay", $"{id}", "--sink", "bus", "--reason", "r", "--yes")).Expect(4).OneError(), StringComparison.Ordinal);
        (await Efc.RunAsync(database.ConnectionString, "outbox", "replay", $"{id}", "--sink", "mail", "--reason", "r", "--yes")).Expect(0);
    }

    [Fact]
    public async Task What_is_not_there_or_makes_no_sense_changes_nothing()
    {
        var undelivered = await OutboxSeed.EnqueueAsync(database, "1");
        (await Contents.UnchangedAsync(database, "outbox", "park", $"{Guid.NewGuid()}", "--reason", "r", "--yes")).Expect(4).OneError();
        Assert.Contains("not delivered yet", (await Contents.UnchangedAsync(database, "outbox", "replay", $"{undelivered}", "--reason", "r", "--yes")).Expect(4).OneError(), StringComparison.Ordinal);
        (await Contents.UnchangedAsync(database, "outbox", "replay", "--dead-since", "1h", "--reason", "r", "--yes")).Expect(4).OneError();
        (await Contents.UnchangedAsync(database, "outbox", "replay", "--dead-since", "noon", "--reason", "r", "--yes")).Expect(2).OneError();
        (await Contents.UnchangedAsync(database, "outbox", "replay", "--reason", "r", "--yes")).Expect(2).OneError();
        (await Contents.UnchangedAsync(database, "outbox", "replay", $"{undelivered}", "--dead-since", "1h", "--reason", "r", "--yes")).Expect(2).OneError();
        Assert.Contains("yesterday", (await Contents.UnchangedAsync(database, "outbox", "purge", "--older-than", "yesterday", "--reason", "r", "--yes")).Expect(2).OneError(), StringComparison.Ordinal);
        (await Contents.UnchangedAsync(database, "outbox", "purge", "--reason", "r", "--yes")).Expect(2).OneError();
    }

    [Theory]
    [InlineData("park", 0, "update efc.outbox_pending set state = 2")]
    [InlineData("park", 1, "delete from efc.outbox_pending")]
    [InlineData("replay", 2, "delete from efc.outbox_pending")]
    public async Task A_message_that_changed_after_it_was_shown_is_left_alone(string verb, int state, string change)
    {
        var id = await OutboxSeed.PendAsync(database, state);
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, "outbox", verb, $"{id}", "--reason", "r");
        await terminal.UntilShowsAsync($"Type {id} to go on:");
        await database.ExecuteAsync(change);
        await terminal.TypeAsync($"{id}");
        await terminal.EnterAsync();
        Assert.Contains("no longer waits in sink bus", await terminal.UntilShowsAsync("[exit 5]"), StringComparison.Ordinal);
        Assert.Equal("failed", await database.ScalarAsync<string>($"select outcome from efc.operator_action where target = '{id}'"));
    }

    [Theory]
    [InlineData("purge --older-than 7d", "Deleted: 1 dead letter", "select count(*) = 2 and min(state) = 0 from efc.outbox_pending")]
    [InlineData("replay --dead-since 30d", "Will be delivered to sink bus: 1 message", "select count(*) filter (where state = 2) = 1 from efc.outbox_pending")]
    public async Task Of_many_dead_letters_only_those_that_were_shown_and_still_are_dead_are_changed(string call, string told, string check)
    {
        await OutboxSeed.PendAsync(database, state: 2, age: TimeSpan.FromDays(8));
        var replayed = await OutboxSeed.PendAsync(database, state: 2, age: TimeSpan.FromDays(8));
        await using var terminal = await Terminal.StartAsync(database.ConnectionString, ["outbox", .. call.Split(' '), "--reason", "r"]);
        await terminal.UntilShowsAsync("2 dead letters");
        await terminal.UntilShowsAsync("Type bus to go on:");
        await database.ExecuteAsync($"update efc.outbox_pending set state = 0 where message_id = '{replayed}'");
        await OutboxSeed.PendAsync(database, state: 2, age: TimeSpan.FromDays(9));
        await terminal.TypeAsync("bus");
        await terminal.EnterAsync();
        Assert.Contains(told, await terminal.UntilShowsAsync("[exit 0]"), StringComparison.Ordinal);
        Assert.True(await database.ScalarAsync<bool>(check));
    }
}
