using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Outbox;

public sealed class OutboxListTests(ToolDatabase database) : IClassFixture<ToolDatabase>, IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await OutboxSeed.ResetAsync(database, "bus", "mail");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Sinks_are_shown_with_their_lag_lanes_and_dispatchers()
    {
        await OutboxSeed.PendAsync(database, state: 2);
        await OutboxSeed.PendAsync(database, state: 0);
        await OutboxSeed.EnqueueAsync(database, "2");
        await database.ExecuteAsync("""
            insert into efc.outbox_owner (sink, owner, name, capacity, live_until, failure) values ('bus', 'a', 'web-1/17', 16, clock_timestamp() + interval '1 hour', 'no broker'),
                ('bus', 'b', 'web-2/18', 16, clock_timestamp() - interval '1 minute', null);
            update efc.outbox_cursor set owner = 'a', lease_until = clock_timestamp() + interval '1 hour' where sink = 'bus' and lane < 5;
            """);

        var bus = (await Efc.RunAsync(database.ConnectionString, "outbox", "list", "-o", "json")).Expect(0).Json.EnumerateArray().Single(s => s.GetProperty("sink").GetString() == "bus");
        Assert.Equal(1, bus.GetProperty("undelivered").GetInt32());
        Assert.Equal(1, bus.GetProperty("retrying").GetInt32());
        Assert.Equal(1, bus.GetProperty("dead").GetInt32());
        Assert.Equal(5, bus.GetProperty("lanesLed").GetInt32());
        Assert.Equal([true, false], bus.GetProperty("dispatchers").EnumerateArray().OrderBy(d => d.GetProperty("name").GetString()).Select(d => d.GetProperty("isAlive").GetBoolean()));

        var table = (await Efc.RunAsync(database.ConnectionString, "outbox", "list", "--sink", "bus")).Expect(0);
        Assert.Equal(2, table.Lines.Length);
        Assert.Contains("5 of 16", table.Output, StringComparison.Ordinal);
        Assert.Contains("web-1/17 (5 lanes, down: no broker)", table.Output, StringComparison.Ordinal);
        Assert.Contains("web-2/18 (gone)", table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_and_waiting_messages_are_listed_by_sink_and_number()
    {
        var dead = await OutboxSeed.PendAsync(database, state: 2);
        var mail = await OutboxSeed.PendAsync(database, state: 2, sink: "mail");
        var retrying = await OutboxSeed.PendAsync(database, state: 0);
        var delayed = await OutboxSeed.PendAsync(database, state: 1, attempts: 0);

        Assert.Equal([dead, mail], await IdsAsync("--dead"));
        Assert.Equal([mail], await IdsAsync("--dead", "--sink", "mail"));
        Assert.Equal([retrying, delayed], await IdsAsync("--waiting"));
        Assert.Equal([retrying], await IdsAsync("--waiting", "--count", "1"));
        var table = (await Efc.RunAsync(database.ConnectionString, "outbox", "list", "--dead", "--sink", "bus")).Expect(0);
        Assert.Contains("no route to the broker", Assert.Single(table.Lines, l => l.Contains($"{dead}", StringComparison.Ordinal)), StringComparison.Ordinal);

        async Task<Guid[]> IdsAsync(params string[] options)
            => [.. (await Efc.RunAsync(database.ConnectionString, ["outbox", "list", .. options, "-o", "json"])).Expect(0).Json.EnumerateArray().Select(m => m.GetProperty("messageId").GetGuid())];
    }

    [Fact]
    public async Task A_message_is_shown_with_its_place_headers_and_what_became_of_it_in_each_sink()
    {
        var id = await OutboxSeed.PendAsync(database, state: 2, key: "order-1");
        var follower = await OutboxSeed.PendAsync(database, state: 0, key: "order-1", attempts: 0);
        await OutboxSeed.EnqueueAsync(database, "2");

        var message = (await Efc.RunAsync(database.ConnectionString, "outbox", "show", $"{id}", "-o", "json")).Expect(0).Json;
        Assert.Equal("order-1", message.GetProperty("key").GetString());
        Assert.Equal("acme", message.GetProperty("headers").GetProperty("tenant").GetString());
        Assert.Equal($"{id}", message.GetProperty("headers").GetProperty("ce-id").GetString());
        Assert.False(message.TryGetProperty("payload", out _));
        var sinks = message.GetProperty("sinks").EnumerateArray().ToDictionary(s => s.GetProperty("sink").GetString()!);
        Assert.Equal("dead", sinks["bus"].GetProperty("state").GetString());
        Assert.Equal(3, sinks["bus"].GetProperty("attempts").GetInt32());
        Assert.Equal(1, sinks["bus"].GetProperty("following").GetInt64());
        Assert.Equal("passed", sinks["mail"].GetProperty("state").GetString());

        var shown = (await Efc.RunAsync(database.ConnectionString, "outbox", "show", $"{follower}")).Expect(0);
        Assert.Contains($"waits behind {id}", shown.Output, StringComparison.Ordinal);
        Assert.Contains("octets (--payload shows them)", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\"order\"", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_content_is_shown_when_asked_for_and_cut_where_it_is_long()
    {
        var small = await OutboxSeed.EnqueueAsync(database, "42");
        var large = await OutboxSeed.EnqueueAsync(database, new string('é', 3000));
        var binary = await OutboxSeed.EnqueueAsync(database, "3");
        await database.ExecuteAsync($"update efc.outbox set payload = '\\x00ff1b5b' where message_id = '{binary}'");

        Assert.Contains("""{"order":"42"}""", (await Efc.RunAsync(database.ConnectionString, "outbox", "show", $"{small}", "--payload")).Expect(0).Output, StringComparison.Ordinal);
        Assert.Contains("0x00ff1b5b", (await Efc.RunAsync(database.ConnectionString, "outbox", "show", $"{binary}", "--payload")).Expect(0).Output, StringComparison.Ordinal);
        var cut = (await Efc.RunAsync(database.ConnectionString, "outbox", "show", $"{large}", "--payload", "-o", "json")).Expect(0).Json;
        Assert.True(cut.GetProperty("isPayloadCut").GetBoolean());
        Assert.True(cut.GetProperty("payload").GetString()!.Length <= 4096);
        Assert.True(cut.GetProperty("payloadBytes").GetInt32() > 6000);
        Assert.Equal("undelivered", cut.GetProperty("sinks")[0].GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_is_not_there_is_said_in_a_line()
    {
        Assert.Contains("There is no message", (await Efc.RunAsync(database.ConnectionString, "outbox", "show", $"{Guid.NewGuid()}")).Expect(4).OneError(), StringComparison.Ordinal);
        Assert.Contains("There is bus, mail", (await Efc.RunAsync(database.ConnectionString, "outbox", "list", "--sink", "fax")).Expect(4).OneError(), StringComparison.Ordinal);
        (await Efc.RunAsync(database.ConnectionString, "outbox", "show", "7")).Expect(2).OneError();
        (await Efc.RunAsync(database.ConnectionString, "outbox", "list", "--count", "0")).Expect(2).OneError();
        Assert.Contains("--schema", (await Efc.RunAsync(database.ConnectionString, "outbox", "list", "--schema", "elsewhere")).Expect(7).OneError(), StringComparison.Ordinal);
    }
}
