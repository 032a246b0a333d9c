using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using EfConcurrency.Infrastructure;
using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Tests.Messaging;

/// <summary>Messages travel under names that are given once and mean one type.</summary>
public sealed partial class MessageContractsTests
{
    [Fact]
    public void A_type_is_found_by_itself_and_by_its_name()
    {
        var contracts = Build(m => m.Add<Placed>("order.placed.v2"));
        Assert.True(contracts.TryFind(typeof(Placed), out var byType));
        Assert.True(contracts.TryFind("order.placed.v2", out var byName));
        Assert.Same(byType, byName);
        Assert.Equal(("order.placed.v2", "order.placed", typeof(Placed)), (byType.Name, byType.Topic, byType.MessageType));
    }

    [Fact]
    public void A_derived_type_and_a_name_in_other_case_are_not_found()
    {
        var contracts = Build(m => m.Add<Placed>("order.placed.v2"));
        Assert.False(contracts.TryFind(typeof(PlacedByPhone), out _));
        Assert.False(contracts.TryFind("Order.placed.v2", out _));
    }

    [Theory]
    [InlineData("order.placed.v2", null, "order.placed")]
    [InlineData("order", null, "order")]
    [InlineData(".v1", null, ".v1")]
    [InlineData("order.placed.v2", "orders", "orders")]
    [InlineData("urn:acme:order/placed_v-1", "a/B:c", "a/B:c")]
    public void The_topic_is_the_name_without_its_version_unless_it_is_given(string name, string? topic, string expected)
    {
        Assert.True(Build(m => m.Add<Placed>(name, topic)).TryFind(name, out var contract));
        Assert.Equal(expected, contract.Topic);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("order placed")]
    [InlineData("order.plàced")]
    [InlineData("order\n")]
    [InlineData("order#")]
    public void Names_and_topics_that_a_broker_could_refuse_are_refused(string text)
    {
        Assert.Equal("name", Assert.Throws<ArgumentException>(() => Build(m => m.Add<Placed>(text))).ParamName);
        Assert.Equal("topic", Assert.Throws<ArgumentException>(() => Build(m => m.Add<Placed>("order.placed.v1", text))).ParamName);
    }

    [Fact]
    public void A_name_of_200_characters_is_taken_and_one_of_201_is_not()
    {
        Build(m => m.Add<Placed>(new string('x', 200)));
        Assert.Throws<ArgumentException>(() => Build(m => m.Add<Placed>(new string('x', 201))));
        Assert.Throws<ArgumentNullException>(() => Build(m => m.Add<Placed>(null!)));
    }

    [Fact]
    public void A_name_or_a_type_that_is_there_already_is_named()
    {
        var twice = Assert.Throws<ArgumentException>(() => Build(m => m.Add<Placed>("a.v1").Add<Shipped>("a.v1")));
        Assert.Contains("'a.v1' of Placed", twice.Message, StringComparison.Ordinal);
        var again = Assert.Throws<ArgumentException>(() => Build(m => m.Add<Placed>("a.v1").Add<Placed>("b.v1")));
        Assert.Contains("'a.v1' of Placed", again.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_type_of_which_there_is_no_object_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Build(m => m.Add<IDisposable>("a.v1")));
        Assert.Throws<ArgumentException>(() => Build(m => m.Add<Stream>("a.v1")));
    }

    public static TheoryData<Action<MessageContractsBuilder>, Action<MessageContractsBuilder>, bool> Pairs => new()
    {
        { m => m.Add<Placed>("a").Add<Shipped>("b"), m => m.Add<Shipped>("b").Add<Placed>("a"), true },
        { m => m.Add<Placed>("a", typeInfo: MessageJson.Default.Placed), m => m.Add<Placed>("a", typeInfo: MessageJson.Default.Placed), true },
        { _ => { }, _ => { }, true },
        { m => m.Add<Placed>("a"), m => m.Add<Placed>("b"), false },
        { m => m.Add<Placed>("a"), m => m.Add<Shipped>("a"), false },
        { m => m.Add<Placed>("a"), m => m.Add<Placed>("a", "elsewhere"), false },
        { m => m.Add<Placed>("a"), m => m.Add<Placed>("a", typeInfo: MessageJson.Default.Placed), false },
        { m => m.Add<Placed>("a"), m => m.Add<Placed>("a").Add<Shipped>("b"), false },
        { m => m.Add<Placed>("a"), m => m.Add<Placed>("a").UseSerializer(new Reverse()), false },
    };

    /// <summary>EF warns when there are more than twenty service providers: contexts with different messages share one.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void Contexts_share_what_is_made_from_contracts_exactly_when_they_are_equal(Action<MessageContractsBuilder> one, Action<MessageContractsBuilder> other, bool areEqual)
    {
        Assert.Equal(areEqual, Build(one).Equals(Build(other)));
        Assert.True(!areEqual || Build(one).GetHashCode() == Build(other).GetHashCode());
        using var first = Context(o => o.UseMessages(one));
        using var second = Context(o => o.UseMessages(other));
        Assert.Same(first.GetService<OutboxMessageFactories>(), second.GetService<OutboxMessageFactories>());
        Assert.Equal(areEqual, ReferenceEquals(first.GetService<OutboxMessageFactory>(), second.GetService<OutboxMessageFactory>()));
    }

    [Fact]
    public void Contexts_share_what_is_made_from_outbox_settings_exactly_when_they_are_equal()
    {
        using var first = Context(o => o.UseOutbox(x => x.Source = "/a"));
        using var same = Context(o => o.UseOutbox(x => x.Source = "/a"));
        using var other = Context(o => o.UseOutbox(x => x.Source = "/b"));
        Assert.Same(first.GetService<OutboxMessageFactory>(), same.GetService<OutboxMessageFactory>());
        Assert.NotSame(first.GetService<OutboxMessageFactory>(), other.GetService<OutboxMessageFactory>());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("http://[")]
    public void A_source_that_is_no_URI_reference_is_refused(string source)
        => Assert.Throws<ArgumentException>(() => Context(o => o.UseOutbox(x => x.Source = source)));

    [Theory]
    [InlineData(0)]
    [InlineData((64 * 1024 * 1024) + 1)]
    public void A_limit_of_the_payload_out_of_its_range_is_refused(int bytes)
        => Assert.Throws<ArgumentOutOfRangeException>(() => Context(o => o.UseOutbox(x => x.MaxPayloadBytes = bytes)));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_message_is_written_and_read_by_reflection_or_by_generated_code(bool generated)
    {
        var contracts = Build(m => m.Add("a.v1", typeInfo: generated ? MessageJson.Default.Placed : null));
        Assert.True(contracts.TryFind("a.v1", out var contract));

        var payload = contracts.Serializer.Serialize(new Placed(7), contract);

        // The generated code has the options of its context, so that it tells who has written.
        Assert.Equal(generated ? """{"order_id":7}""" : """{"orderId":7}""", Encoding.UTF8.GetString(payload));
        Assert.Equal(new Placed(7), contracts.Serializer.Deserialize(payload, contract));
        Assert.Throws<JsonException>(() => contracts.Serializer.Deserialize("null"u8, contract));
    }

    private static MessageContracts Build(Action<MessageContractsBuilder> configure)
    {
        var builder = new MessageContractsBuilder();
        configure(builder);
        return builder.Build();
    }

    private static EmptyContext Context(Action<EfConcurrencyOptionsBuilder> configure)
        => new(new DbContextOptionsBuilder().UseNpgsql("Host=none").UseEfConcurrency(configure).Options);

    private sealed class EmptyContext(DbContextOptions options) : DbContext(options);

    public record Placed(int OrderId);

    public sealed record PlacedByPhone(int OrderId) : Placed(OrderId);

    public sealed record Shipped(int OrderId);

    [JsonSerializable(typeof(Placed))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    private sealed partial class MessageJson : JsonSerializerContext;

    private sealed class Reverse : IMessageSerializer
    {
        public string ContentType => "text/reverse";

        public byte[] Serialize(object message, MessageContract contract) => throw new NotSupportedException();

        public object Deserialize(ReadOnlySpan<byte> payload, MessageContract contract) => throw new NotSupportedException();
    }
}
