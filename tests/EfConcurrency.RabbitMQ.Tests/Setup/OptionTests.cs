using EfConcurrency.RabbitMQ.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EfConcurrency.RabbitMQ.Tests.Setup;

/// <summary>What makes no sense is told at registration.</summary>
public sealed class OptionTests
{
    private static Action<RabbitMqTransportOptions>[] BadTransports =>
    [
        o => o.Sink = " ",
        o => o.Sink = new('x', 101),
        o => o.Connection.Uri = new("http://localhost"),
        o => o.Connection.FurtherHosts.Add(""),
        o => o.Connection.Heartbeat = TimeSpan.Zero,
        o => o.Connection.ConnectTimeout = TimeSpan.Zero,
        o => o.Connection.MinReconnectDelay = TimeSpan.Zero,
        o => o.Connection.MaxReconnectDelay = TimeSpan.FromMilliseconds(1),
        o => o.MaxOutstandingConfirms = 0,
        o => o.MaxChannels = 0,
        o => o.ConfirmTimeout = TimeSpan.Zero,
        o => o.MaxMessageBytes = 0,
        o => o.Exchange = null!,
        o => o.Topology.Queue(""),
        o => o.Topology.Exchange(" "),
        o => o.Topology.Bind("q", "", "x"),
    ];

    private static Action<RabbitMqConsumerOptions>[] BadConsumers =>
    [
        o => o.Concurrency = 0,
        o => o.Prefetch = 7,
        o => o.MaxAttempts = 0,
        o => o.MaxDeliveries = 0,
        o => o.RetryDelay = TimeSpan.FromSeconds(-1),
        o => o.MaxRetryDelay = TimeSpan.FromMilliseconds(1),
        o => o.Connection.Uri = new("http://localhost"),
        o => o.MaxAttempts = 100,
    ];

    [Fact]
    public void A_bad_transport_is_refused()
        => Assert.All(BadTransports, spoil => Assert.ThrowsAny<ArgumentException>(() => new ServiceCollection().AddRabbitMqTransport(spoil)));

    [Fact]
    public void A_bad_consumer_is_refused()
        => Assert.All(BadConsumers, spoil => Assert.ThrowsAny<ArgumentException>(() => new ServiceCollection().AddRabbitMqConsumer<NotesContext>("notes", "queue", spoil)));

    [Theory]
    [InlineData("", "queue")]
    [InlineData("notes", "")]
    public void A_consumer_needs_names(string consumer, string queue)
        => Assert.ThrowsAny<ArgumentException>(() => new ServiceCollection().AddRabbitMqConsumer<NotesContext>(consumer, queue, _ => { }));

    [Fact]
    public void A_consumer_is_registered_once()
    {
        var services = new ServiceCollection().AddRabbitMqConsumer<NotesContext>("notes", "queue", _ => { });
        Assert.Throws<ArgumentException>(() => services.AddRabbitMqConsumer<NotesContext>("notes", "queue", _ => { }));
        services.AddRabbitMqConsumer<NotesContext>("notes", "other", _ => { });
    }

    [Fact]
    public void A_consumer_without_handlers_is_told_at_the_start()
    {
        var services = new ServiceCollection().AddLogging().AddRabbitMqConsumer<NotesContext>("notes", "queue", _ => { }).BuildServiceProvider();
        Assert.Contains("AddMessageHandlers<NotesContext>", Assert.Throws<InvalidOperationException>(() => services.GetServices<IHostedService>().ToList()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pauses_double_up_to_their_cap_and_half_of_them_is_random()
    {
        Assert.Equal([1, 2, 4, 8, 10, 10], Enumerable.Range(1, 6).Select(n => (int)BackOff.Bound(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), n).TotalSeconds));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.InRange(BackOff.Delay(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), 3).TotalSeconds, 2, 4));
    }
}
