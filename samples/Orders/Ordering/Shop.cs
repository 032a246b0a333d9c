using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace Orders.Ordering;

/// <summary>What a web site would do when a customer clicks: the order, the customer's count and the message are one save.</summary>
public sealed class Shop(IDbContextFactory<OrderingContext> contexts)
{
    public Task PlaceAsync(int customerId, int item, decimal amount, CancellationToken cancellationToken)
        => contexts.RetryOnConflictAsync(
            async (db, token) =>
            {
                var customer = await db.Customers.SingleAsync(c => c.Id == customerId, token);
                customer.LastNumber++;
                var order = new Order { Id = Guid.CreateVersion7(), CustomerId = customerId, Number = customer.LastNumber, Item = item, Amount = amount };
                db.Add(order);
                db.Outbox().Enqueue(new OrderPlaced(order.Id, customerId, order.Number, item, amount), key: customerId.ToString(CultureInfo.InvariantCulture));
                await db.SaveChangesAsync(token);
            },
            cancellationToken: cancellationToken);
}
