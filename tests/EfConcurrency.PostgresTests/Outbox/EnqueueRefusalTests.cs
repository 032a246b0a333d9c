using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>What can't be sent is refused where it is enqueued, before anything is changed.</summary>
public sealed class EnqueueRefusalTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static readonly SaleMade Fine = new(1, "");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, OutboxRefusal, Action<IOutbox>, string> Bad => new()
    {
        { "unregistered", OutboxRefusal.TypeNotRegistered, o => o.Enqueue(new Uri("x:y")), "m.Add<Uri>(\"name.v1\")" },
        { "derived", OutboxRefusal.TypeNotRegistered, o => o.Enqueue<SaleMade>(new LargeSaleMade(1, "", 5)), "LargeSaleMade" },
        { "loop", OutboxRefusal.NotSerializable, o => o.Enqueue(new Looping()), "looping.v1" },
        { "getter", OutboxRefusal.NotSerializable, o => o.Enqueue(new Throwing()), "not today" },
        { "large", OutboxRefusal.PayloadTooLarge, o => o.Enqueue(new SaleMade(1, new string('x', 262_145))), "262,144" },
        { "empty key", OutboxRefusal.InvalidKey, o => o.Enqueue(Fine, ""), "empty" },
        { "long key", OutboxRefusal.InvalidKey, o => o.Enqueue(Fine, new string('x', 201)), "200" },
        { "octets of a key", OutboxRefusal.InvalidKey, o => o.Enqueue(Fine, new string('ü', 101)), "octets" },
        { "NUL in a key", OutboxRefusal.InvalidKey, o => o.Enqueue(Fine, "a\0b"), "NUL" },
        { "half a pair in a key", OutboxRefusal.InvalidKey, o => o.Enqueue(Fine, "a\ud800b"), "surrogate" },
        { "name of a header", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Headers("Tenant", "x")), "'Tenant'" },
        { "empty name", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Headers("", "x")), "''" },
        { "long name", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Headers(new string('x', 101), "x")), "100" },
        { "reserved name", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Headers("ce-id", "x")), "'ce-id'" },
        { "null value", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Headers("x", null!)), "null" },
        { "control character", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Headers("x", "a\nb")), "control" },
        { "half a pair", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Headers("x", "\udc00")), "surrogate" },
        { "long value", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Headers("x", new string('x', 4001))), "4000" },
        { "many headers", OutboxRefusal.InvalidHeader, o => o.Enqueue(Fine, headers: Enumerable.Range(0, 51).ToDictionary(i => $"h{i}", i => "")), "50" },
        { "negative delay", OutboxRefusal.InvalidDelay, o => o.Enqueue(Fine, delay: TimeSpan.FromTicks(-1)), "366" },
        { "long delay", OutboxRefusal.InvalidDelay, o => o.Enqueue(Fine, delay: TimeSpan.MaxValue), "366" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task Bad_input_is_refused_and_nothing_is_added(string what, OutboxRefusal reason, Action<IOutbox> enqueue, string told)
    {
        await using var db = shop.Open();
        var refused = Assert.Throws<OutboxMessageRefusedException>(() => enqueue(db.Outbox()));

        Assert.True(refused.Reason == reason, what);
        Assert.Contains(told, refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, db.Outbox().UnsavedCount);
    }

    [Fact]
    public async Task What_is_just_within_the_limits_is_written()
    {
        await using var db = shop.Open();
        var headers = Enumerable.Range(0, 49).ToDictionary(i => $"h{i}", i => "").Append(new(new string('n', 100), new string('v', 4000))).ToDictionary();
        var overhead = """{"id":1,"text":""}""".Length;
        var id = db.Outbox().Enqueue(new SaleMade(1, new string('x', 262_144 - overhead)), new string('ü', 100), headers, TimeSpan.FromDays(366));
        await db.SaveChangesAsync(Token);

        var record = await shop.RecordAsync(id);
        Assert.Equal(262_144, record.Payload.Length);
        Assert.Equal(new string('ü', 100), record.Key);
    }

    [Fact]
    public async Task Of_many_messages_none_is_added_when_one_is_refused()
    {
        await using var db = shop.Open();
        Assert.Throws<OutboxMessageRefusedException>(() => db.Outbox().EnqueueAll<object>([Fine, Fine, new Uri("x:y")]));
        Assert.Throws<InvalidOperationException>(() => db.Outbox().EnqueueAll([Fine, new(2, "")], m => m.Id == 2 ? throw new InvalidOperationException() : "k"));
        Assert.Throws<ArgumentNullException>(() => db.Outbox().EnqueueAll([Fine, null!]));
        Assert.Throws<ArgumentNullException>(() => db.Outbox().Enqueue<SaleMade>(null!));
        Assert.Equal(0, db.Outbox().UnsavedCount);
    }

    [Fact]
    public async Task The_limit_of_the_payload_can_be_changed()
    {
        await using var db = shop.Open(o => o.UseOutbox(x => x.MaxPayloadBytes = 20));
        db.Outbox().Enqueue(new SaleMade(1, "xx"));
        Assert.Throws<OutboxMessageRefusedException>(() => db.Outbox().Enqueue(new SaleMade(1, "xxx")));
    }

    private static Dictionary<string, string> Headers(string name, string value) => new() { [name] = value };
}
