using System.Diagnostics;
using System.Text;
using System.Text.Json;
using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>What is enqueued leaves with the save, and arrives in the log as it was.</summary>
public sealed class EnqueueTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_is_written_with_the_save_and_not_counted_as_an_entity(bool sync)
    {
        await using var db = shop.Open();
        db.Add(new Sale());
        var id = db.Outbox().Enqueue(new SaleMade(7, "sold"), key: "sale-7");
        Assert.Equal(0, await shop.CopiesAsync(id));
        Assert.Equal(1, db.Outbox().UnsavedCount);

        Assert.Equal(1, sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));

        Assert.Equal(0, db.Outbox().UnsavedCount);
        var record = await shop.RecordAsync(id);
        Assert.Equal(("sale-7", "sale.made", "sale.made.v1"), (record.Key, record.Topic, record.Type));
        Assert.Equal("""{"id":7,"text":"sold"}""", Encoding.UTF8.GetString(record.Payload));
        Assert.Null(record.DueAt);
        Assert.Equal(OutboxLane.Of("sale-7", 16), record.Lane);
        Assert.Equal(7, id.Version);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_is_written_although_nothing_else_is_saved_and_only_once(bool sync)
    {
        await using var db = shop.Open();
        var id = db.Outbox().Enqueue(new SaleMade(1, ""));

        Assert.Equal(0, sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));
        Assert.Equal(0, sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));

        Assert.Equal(1, await shop.CopiesAsync(id));
    }

    [Fact]
    public async Task Several_saves_of_one_transaction_write_each_its_own()
    {
        await using var db = shop.Open();
        var ids = new List<Guid>();
        await using (var transaction = await db.Database.BeginTransactionAsync(Token))
        {
            for (var i = 0; i < 3; i++)
            {
                db.Add(new Sale());
                ids.Add(db.Outbox().Enqueue(new SaleMade(i, "")));
                await db.SaveChangesAsync(Token);
            }

            Assert.Equal(0, await shop.CopiesAsync(ids[0]));
            await transaction.CommitAsync(Token);
        }

        foreach (var id in ids)
        {
            Assert.Equal(1, await shop.CopiesAsync(id));
        }
    }

    [Fact]
    public async Task Many_are_written_in_their_order_in_one_statement()
    {
        await using var db = shop.Open();
        var ids = db.Outbox().EnqueueAll(Enumerable.Range(0, 1500).Select(i => new SaleMade(i, "")), m => $"key-{m.Id % 3}");
        await db.SaveChangesAsync(Token);

        var written = await db.Set<OutboxRecord>().Where(r => ids.Contains(r.MessageId)).OrderBy(r => r.Id).Select(r => r.MessageId).ToListAsync(Token);
        Assert.Equal(ids, written);
    }

    [Fact]
    public async Task The_contract_is_that_of_the_objects_own_type()
    {
        await using var db = shop.Open();
        object[] events = [new SaleMade(1, ""), new Mutable()];
        var ids = db.Outbox().EnqueueAll(events);
        await db.SaveChangesAsync(Token);

        Assert.Equal("sale.made.v1", (await shop.RecordAsync(ids[0])).Type);
        Assert.Equal("mutable.v1", (await shop.RecordAsync(ids[1])).Type);
    }

    [Fact]
    public async Task A_later_change_of_the_object_does_not_change_the_message()
    {
        await using var db = shop.Open();
        var message = new Mutable { Text = "before" };
        var id = db.Outbox().Enqueue(message);
        message.Text = "after";
        await db.SaveChangesAsync(Token);

        Assert.Equal("""{"text":"before"}""", Encoding.UTF8.GetString((await shop.RecordAsync(id)).Payload));
    }

    [Fact]
    public async Task A_delay_counts_from_the_save_by_the_clock_of_the_database()
    {
        await using var db = shop.Open();
        var id = db.Outbox().Enqueue(new SaleMade(1, ""), delay: TimeSpan.FromDays(20));
        var plain = db.Outbox().Enqueue(new SaleMade(1, ""));
        await db.SaveChangesAsync(Token);

        Assert.True(await shop.ScalarAsync<bool>($"select due_at - created_at between interval '20 days' and interval '20 days 1 minute' from efc.outbox where message_id = '{id}'"));
        Assert.Null((await shop.RecordAsync(plain)).DueAt);
        // A consumer remembers ids by the day in them.
        var days = (Milliseconds(id) - Milliseconds(plain)) / (24d * 60 * 60 * 1000);
        Assert.InRange(days, 19.99, 20.01);
    }

    [Fact]
    public async Task Headers_are_those_of_CloudEvents_the_trace_and_the_caller()
    {
        await using var db = shop.Open();
        using var activity = new Activity("order").SetIdFormat(ActivityIdFormat.W3C).Start();
        activity.TraceStateString = "vendor=1";
        var id = db.Outbox().Enqueue(new SaleMade(1, ""), key: "a \"key\" ü", new Dictionary<string, string> { ["tenant"] = "acme", ["empty"] = "", ["ce-region"] = "eu \\ \u0416" });
        var expected = new Dictionary<string, string>
        {
            ["content-type"] = "application/json",
            ["ce-specversion"] = "1.0",
            ["ce-source"] = "/shop",
            ["ce-type"] = "sale.made.v1",
            ["ce-id"] = id.ToString(),
            ["ce-subject"] = "a \"key\" ü",
            ["traceparent"] = activity.Id!,
            ["tracestate"] = "vendor=1",
            ["tenant"] = "acme",
            ["empty"] = "",
            ["ce-region"] = "eu \\ \u0416",
        };
        activity.Stop();
        await db.SaveChangesAsync(Token);

        Assert.Equal(expected.OrderBy(h => h.Key), (await HeadersAsync(id)).OrderBy(h => h.Key));
    }

    [Fact]
    public async Task Without_CloudEvents_a_trace_and_a_key_there_is_only_the_media_type()
    {
        await using var db = shop.Open(o => o.UseOutbox(x => x.CloudEvents = false));
        Activity.Current = null;
        var id = db.Outbox().Enqueue(new SaleMade(1, ""));
        await db.SaveChangesAsync(Token);

        Assert.Equal([new("content-type", "application/json")], await HeadersAsync(id));
    }

    [Fact]
    public async Task Messages_without_a_key_are_spread_over_the_lanes()
    {
        await using var db = shop.Open();
        var ids = db.Outbox().EnqueueAll(Enumerable.Range(0, 500).Select(i => new SaleMade(i, "")));
        await db.SaveChangesAsync(Token);

        var lanes = await db.Set<OutboxRecord>().Where(r => ids.Contains(r.MessageId)).Select(r => r.Lane).Distinct().ToListAsync(Token);
        Assert.Equal(16, lanes.Count);
        Assert.All(lanes, l => Assert.InRange(l, 0, 15));
    }

    private static long Milliseconds(Guid id) => Convert.ToInt64(id.ToString("N")[..12], 16);

    private async Task<Dictionary<string, string>> HeadersAsync(Guid id)
        => JsonSerializer.Deserialize<Dictionary<string, string>>((await shop.RecordAsync(id)).Headers!)!;
}
