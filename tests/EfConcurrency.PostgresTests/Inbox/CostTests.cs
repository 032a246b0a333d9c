using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>Network round trips, counted at the wire.</summary>
public sealed class CostTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ConflictRetryTransaction.PerUnit, 3, 2)] // BEGIN and accept, save, COMMIT; of a duplicate, BEGIN and accept, COMMIT
    [InlineData(ConflictRetryTransaction.PerSave, 1, 1)]
    public async Task A_message_takes_few_round_trips_above_the_handlers_own_reads(ConflictRetryTransaction transaction, int trips, int tripsOfDuplicate)
    {
        await using var proxy = shop.StartProxy();
        await using var services = shop.Services(Billing, proxy.ConnectionString, ProcessorTests.With(transaction));
        await ProcessAsync(services, Message("warm"));
        var message = Message("o");
        Assert.Equal(trips, await CountAsync(proxy, () => ProcessAsync(services, message)));
        Assert.Equal(tripsOfDuplicate, await CountAsync(proxy, () => ProcessAsync(services, message)));
    }

    [Fact]
    public async Task Many_messages_together_take_as_many_as_one()
    {
        await using var proxy = shop.StartProxy();
        await using var services = shop.Services(Billing, proxy.ConnectionString);
        await ProcessAsync(services, Message("warm"));
        InboundMessage[] messages = [.. Enumerable.Range(0, 50).Select(_ => Message("o"))];
        Assert.Equal(3, await CountAsync(proxy, () => Processor(services).ProcessTogetherAsync(Consumer, messages, Token)));
    }

    [Fact]
    public async Task Accept_takes_one_or_none()
    {
        await using var proxy = shop.StartProxy();
        await using var db = shop.Open(proxy.ConnectionString);
        db.Add(new Bill());
        await db.Inbox().TrySaveAsync(Consumer, NewOrder(), Token); // asks for the guard function, once per database
        db.Add(new Bill());
        Assert.Equal(1, await CountAsync(proxy, () => db.Inbox().TrySaveAsync(Consumer, NewOrder(), Token)));
        Assert.Equal(3, await CountAsync(proxy, () => db.RetryOnConflictAsync(
            async (context, token) =>
            {
                context.Add(new Bill());
                Assert.True(await context.Inbox().TryAcceptAsync(Consumer, NewOrder(), token));
                await context.SaveChangesAsync(token);
            },
            cancellationToken: Token)));
    }

    private static async Task<long> CountAsync<T>(FaultProxy proxy, Func<Task<T>> call)
    {
        var trips = proxy.CountRoundTrips();
        var result = await call();
        Assert.True(result is InboxResult { Error: null } or bool, $"{result}");
        return trips.Count;
    }

    private static Task<long> CountAsync(FaultProxy proxy, Func<Task> call) => CountAsync(proxy, async () =>
    {
        await call();
        return true;
    });
}
