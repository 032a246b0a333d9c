using EfConcurrency.Inbox;
using EfConcurrency.RabbitMQ;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orders.Ordering;
using Orders.Paying;
using Orders.Shipping;

namespace Orders;

/// <summary>One service as a process: its database, its queue, its handlers, and a dispatcher for what they tell others.</summary>
internal static class ServiceProgram
{
    public const string ConnectionVariable = "ORDERS_CONNECTION";
    public const string BrokerVariable = "ORDERS_BROKER";

    private const string Exchange = "shop";

    public static readonly IReadOnlyList<string> Services = ["ordering", "paying", "shipping"];

    public static Task RunAsync(string service) => service switch
    {
        "ordering" => RunAsync<OrderingContext>(service, h => h
            .Handle<PaymentTaken, OrderSaga>().Handle<PaymentRefused, OrderSaga>().Handle<OrderShipped, OrderSaga>()
            .Handle<ShipmentRefused, OrderSaga>().Handle<PaymentRefunded, OrderSaga>()),
        "paying" => RunAsync<PayingContext>(service, h => h.Handle<OrderPlaced, PaymentHandlers>().Handle<RefundRequested, PaymentHandlers>()),
        "shipping" => RunAsync<ShippingContext>(service, h => h.Handle<ShipmentRequested, ShipmentHandler>()),
        _ => throw new ArgumentException($"There is no service '{service}'.", nameof(service)),
    };

    /// <summary>Used by the demo too, which makes the tables and places the orders.</summary>
    public static void UseDatabase(DbContextOptionsBuilder options, string connectionString)
        => options.UseNpgsql(connectionString).UseEfConcurrency(o => o.UseMessages(Messages.Register))
            // A save that is refused is run again, and what is given up is told by who gives it up.
            .ConfigureWarnings(w => w.Log((CoreEventId.SaveChangesFailed, LogLevel.Information)));

    private static async Task RunAsync<TContext>(string service, Action<MessageHandlersBuilder> handlers)
        where TContext : DbContext
    {
        var broker = new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddSimpleConsole(o => o.SingleLine = true).SetMinimumLevel(LogLevel.Error);
        builder.Services.AddDbContextPool<TContext>(o => UseDatabase(o, Environment.GetEnvironmentVariable(ConnectionVariable)!));
        builder.Services.AddMessageHandlers<TContext>(h => handlers(h.Consumer(service)));
        builder.Services.AddRabbitMqConsumer<TContext>(service, service, o =>
        {
            o.Connection.Uri = broker;
            Declare(o.Topology);
        });
        builder.Services.AddRabbitMqTransport(o =>
        {
            o.Connection.Uri = broker;
            o.Exchange = Exchange;
            Declare(o.Topology);
        });
        builder.Services.AddOutboxDispatcher<TContext>(o => o.LeaseLength = TimeSpan.FromSeconds(3));

        using var telemetry = SampleTelemetry.Start($"orders-{service}");
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine("ready");
        await host.WaitForShutdownAsync();
    }

    /// <summary>Everyone declares all of it: a message that no queue is bound for is a dead letter. One consumer at a time is active on a queue, which keeps the order of keys.</summary>
    private static void Declare(RabbitMqTopology topology) => topology
        .Exchange(Exchange)
        .Queue("ordering").Bind("ordering", Exchange, "payment.*").Bind("ordering", Exchange, "shipment.done").Bind("ordering", Exchange, "shipment.refused")
        .Queue("paying").Bind("paying", Exchange, "order.placed").Bind("paying", Exchange, "refund.requested")
        .Queue("shipping").Bind("shipping", Exchange, "shipment.requested");
}
