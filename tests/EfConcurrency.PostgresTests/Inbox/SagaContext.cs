using EfConcurrency.Messaging;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.PostgresTests.Inbox;

public enum PurchaseState
{
    Placed,
    Paid,
    Shipped,
    Cancelled,
}

/// <summary>The state of a saga: an entity with a version, like any other.</summary>
public sealed class Purchase : IVersioned
{
    public Guid Id { get; init; }

    public int Amount { get; init; }

    public PurchaseState State { get; set; }

    public int Steps { get; set; }

    public long Version { get; private set; }
}

/// <summary>What a step did, outside of the saga's own row.</summary>
public sealed class Effect
{
    public int Id { get; init; }

    public Guid Purchase { get; init; }

    public string Text { get; init; } = "";
}

public sealed record PurchasePlaced(Guid Purchase, int Amount);

public sealed record PaymentTaken(Guid Purchase);

public sealed record PaymentRefused(Guid Purchase);

public sealed record ParcelSent(Guid Purchase);

public sealed class SagaContext(DbContextOptions<SagaContext> options) : DbContext(options)
{
    public DbSet<Purchase> Purchases => Set<Purchase>();

    public DbSet<Effect> Effects => Set<Effect>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasInbox().HasOutbox(o => o.Lanes = 4);
        modelBuilder.Entity<Purchase>().Property(p => p.Id).ValueGeneratedNever();
    }
}

/// <summary>Takes the payment; more than 90 nobody has.</summary>
public sealed class Payments(SagaContext db) : IMessageHandler<PurchasePlaced>
{
    public Task HandleAsync(PurchasePlaced message, MessageContext context, CancellationToken cancellationToken)
    {
        if (message.Amount > 90)
        {
            db.Outbox().Enqueue(new PaymentRefused(message.Purchase), key: context.Key);
            return Task.CompletedTask;
        }

        db.Add(new Effect { Purchase = message.Purchase, Text = "paid" });
        db.Outbox().Enqueue(new PaymentTaken(message.Purchase), key: context.Key);
        return Task.CompletedTask;
    }
}

public sealed class Shipping(SagaContext db) : IMessageHandler<PaymentTaken>
{
    public Task HandleAsync(PaymentTaken message, MessageContext context, CancellationToken cancellationToken)
    {
        db.Add(new Effect { Purchase = message.Purchase, Text = "sent" });
        db.Outbox().Enqueue(new ParcelSent(message.Purchase), key: context.Key);
        return Task.CompletedTask;
    }
}

/// <summary>The saga itself: what has happened so far decides what an answer means.</summary>
public sealed class PurchaseSaga(SagaContext db) : IMessageHandler<PaymentTaken>, IMessageHandler<PaymentRefused>, IMessageHandler<ParcelSent>
{
    public Task HandleAsync(PaymentTaken message, MessageContext context, CancellationToken cancellationToken)
        => StepAsync(message.Purchase, PurchaseState.Paid, cancellationToken);

    public Task HandleAsync(PaymentRefused message, MessageContext context, CancellationToken cancellationToken)
        => StepAsync(message.Purchase, PurchaseState.Cancelled, cancellationToken);

    public Task HandleAsync(ParcelSent message, MessageContext context, CancellationToken cancellationToken)
        => StepAsync(message.Purchase, PurchaseState.Shipped, cancellationToken);

    /// <summary>Steps come in order only as far as their key does; the later state stands.</summary>
    private async Task StepAsync(Guid id, PurchaseState state, CancellationToken cancellationToken)
    {
        var purchase = await db.Purchases.SingleAsync(p => p.Id == id, cancellationToken);
        purchase.State = (PurchaseState)Math.Max((int)purchase.State, (int)state);
        purchase.Steps++;
    }
}

public sealed class SagaDatabase(PostgresServer server) : DatabaseFixture(server)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var services = Services();
        await using var scope = services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<SagaContext>().Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public ServiceProvider Services(Action<IServiceCollection>? more = null)
    {
        var services = new ServiceCollection()
            .AddLogging()
            .AddDbContext<SagaContext>(o => o.UseNpgsql(ConnectionString).UseEfConcurrency(e => e.UseMessages(m => m
                .Add<PurchasePlaced>("purchase.placed.v1")
                .Add<PaymentTaken>("payment.taken.v1")
                .Add<PaymentRefused>("payment.refused.v1")
                .Add<ParcelSent>("parcel.sent.v1"))))
            .AddMessageHandlers<SagaContext>(h => h
                .Consumer("payments").Handle<PurchasePlaced, Payments>()
                .Consumer("shipping").Handle<PaymentTaken, Shipping>()
                .Consumer("purchases").Handle<PaymentTaken, PurchaseSaga>().Handle<PaymentRefused, PurchaseSaga>().Handle<ParcelSent, PurchaseSaga>());
        more?.Invoke(services);
        return services.BuildServiceProvider(validateScopes: true);
    }
}
