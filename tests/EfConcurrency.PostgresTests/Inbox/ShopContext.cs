using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace EfConcurrency.PostgresTests.Inbox;

public sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    public DbSet<Bill> Bills => Set<Bill>();

    public DbSet<Stock> Stocks => Set<Stock>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasInbox();
}

/// <summary>An effect; nothing but the inbox keeps it from being there twice.</summary>
public sealed class Bill
{
    public int Id { get; set; }

    public string Order { get; set; } = "";
}

/// <summary>A row that handlers fight for.</summary>
public sealed class Stock : IVersioned
{
    public int Id { get; set; }

    public int Sold { get; set; }

    public long Version { get; private set; }
}

public sealed record OrderPlaced(string Order, int Stock = 0);

public sealed record OrderCancelled(string Order);

/// <summary>A contract that nobody handles.</summary>
public sealed record OrderArchived(string Order);

/// <summary>A fresh database with the tables of <see cref="ShopContext"/>.</summary>
public sealed class ShopDatabase(PostgresServer server) : DatabaseFixture(server)
{
    public const string Consumer = "billing";

    public static readonly Dictionary<string, string> NoHeaders = [];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public static void Configure(DbContextOptionsBuilder options, string connectionString) => options
        .UseNpgsql(connectionString)
        .UseEfConcurrency(o => o.UseMessages(m => m.Add<OrderPlaced>("order.placed.v1").Add<OrderCancelled>("order.cancelled.v1").Add<OrderArchived>("order.archived.v1")));

    public ShopContext Open(string? connectionString = null, Action<DbContextOptionsBuilder>? configure = null)
    {
        var builder = new DbContextOptionsBuilder<ShopContext>();
        Configure(builder, connectionString ?? ConnectionString);
        configure?.Invoke(builder);
        return new(builder.Options);
    }

    public string With(Action<NpgsqlConnectionStringBuilder> change)
    {
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        change(builder);
        return builder.ConnectionString;
    }

    /// <summary>Services with one consumer, whose handler for <see cref="OrderPlaced"/> is <paramref name="handle"/>.</summary>
    public ServiceProvider Services(
        Func<ShopContext, OrderPlaced, MessageContext, CancellationToken, Task> handle,
        string? connectionString = null,
        Action<MessageConsumerOptions>? consumer = null,
        Action<IServiceCollection>? services = null,
        Action<DbContextOptionsBuilder>? options = null)
    {
        var collection = new ServiceCollection()
            .AddLogging()
            .AddDbContext<ShopContext>(o =>
            {
                Configure(o, connectionString ?? ConnectionString);
                options?.Invoke(o);
            })
            .AddSingleton(handle)
            .AddMessageHandlers<ShopContext>(h => h.Consumer(Consumer, consumer).Handle<OrderPlaced, Handler>());
        services?.Invoke(collection);
        return collection.BuildServiceProvider(validateScopes: true);
    }

    public static InboundMessage Message(string order, string? id = null, int stock = 0)
        => new(id ?? Guid.CreateVersion7().ToString(), "order.placed.v1", order, NoHeaders, System.Text.Encoding.UTF8.GetBytes($$"""{"order":"{{order}}","stock":{{stock}}}"""));

    public static Task<InboxResult> ProcessAsync(IServiceProvider services, InboundMessage message, string consumer = Consumer)
        => services.GetRequiredService<IInboxProcessor<ShopContext>>().ProcessAsync(consumer, message, TestContext.Current.CancellationToken);

    /// <summary>A handler that bills the order and leaves the saving to the library.</summary>
    public static Func<ShopContext, OrderPlaced, MessageContext, CancellationToken, Task> Billing => (db, message, _, _) =>
    {
        db.Add(new Bill { Order = message.Order });
        return Task.CompletedTask;
    };

    public Task<long> BillsAsync(string order) => ScalarAsync<long>($"select count(*) from \"Bills\" where \"Order\" = '{order}'");

    public Task<long> AcceptedAsync(string messageId) => ScalarAsync<long>($"select count(*) from efc.inbox where message_id::text = '{messageId}' or foreign_id = '{messageId}'");

    public async Task<int> AddStockAsync()
    {
        await using var db = Open();
        var stock = new Stock();
        db.Add(stock);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return stock.Id;
    }

    public static string NewOrder() => Guid.NewGuid().ToString("n");

    public sealed class Handler(ShopContext db, Func<ShopContext, OrderPlaced, MessageContext, CancellationToken, Task> handle) : IMessageHandler<OrderPlaced>
    {
        public Task HandleAsync(OrderPlaced message, MessageContext context, CancellationToken cancellationToken) => handle(db, message, context, cancellationToken);
    }
}
