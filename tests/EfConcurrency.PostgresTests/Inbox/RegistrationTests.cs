using EfConcurrency.Inbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>Mistakes that show at start.</summary>
public sealed class RegistrationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_consumer_and_a_type_of_message_are_registered_once()
    {
        var services = new ServiceCollection();
        services.AddMessageHandlers<ShopContext>(h => h.Consumer("a").Handle<OrderPlaced, Handler>().Consumer("b").Handle<OrderPlaced, Handler>());
        Assert.Throws<ArgumentException>(() => services.AddMessageHandlers<ShopContext>(h => h.Consumer("a")));
        Assert.Throws<ArgumentException>(() => services.AddMessageHandlers<ShopContext>(h => h.Consumer("c").Handle<OrderPlaced, Handler>().Handle<OrderPlaced, Handler>()));
        Assert.Throws<InvalidOperationException>(() => services.AddMessageHandlers<ShopContext>(h => h.Handle<OrderPlaced, Handler>()));
        Assert.Throws<ArgumentException>(() => services.AddMessageHandlers<ShopContext>(h => h.Consumer(new('c', 101))));
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddMessageHandlers<ShopContext>(h => h.Consumer("d", o => o.Retry = new() { MaxAttempts = 0 })));
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddInboxCleanup<ShopContext>(o => o.Interval = TimeSpan.Zero));
        Assert.Single(services, s => s.ImplementationType == typeof(InboxCleanup<ShopContext>));
    }

    [Fact]
    public async Task A_handler_whose_message_has_no_contract_stops_the_start()
    {
        var error = await StartAsync(o => o.UseNpgsql("Host=unused").UseEfConcurrency());
        Assert.Contains("OrderPlaced, which has no contract", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_context_without_the_library_stops_the_start()
        => Assert.Contains("UseEfConcurrency()", (await StartAsync(o => o.UseNpgsql("Host=unused")))!.Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_registration_that_can_work_starts_without_the_database()
        => Assert.Null(await StartAsync(o => Configure(o, "Host=unused")));

    [Fact]
    public async Task A_context_that_is_no_scoped_service_is_told_before_anything_is_accepted()
    {
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddDbContext<ShopContext>(o => Configure(o, "Host=unused"), ServiceLifetime.Transient)
            .AddSingleton(Billing)
            .AddMessageHandlers<ShopContext>(h => h.Consumer(Consumer).Handle<OrderPlaced, Handler>())
            .BuildServiceProvider();
        var result = await ProcessAsync(services, Message("o"));
        Assert.Equal(InboxOutcome.Failed, result.Outcome);
        Assert.Contains("transient service", result.Error!.Message, StringComparison.Ordinal);
    }

    private static async Task<Exception?> StartAsync(Action<DbContextOptionsBuilder> options)
    {
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddDbContext<ShopContext>(options)
            .AddMessageHandlers<ShopContext>(h => h.Consumer(Consumer).Handle<OrderPlaced, Handler>())
            .AddInboxCleanup<ShopContext>(o => o.IsEnabled = false)
            .BuildServiceProvider();
        return await Record.ExceptionAsync(async () =>
        {
            foreach (var service in services.GetServices<IHostedService>())
            {
                await service.StartAsync(Token);
            }
        });
    }
}
