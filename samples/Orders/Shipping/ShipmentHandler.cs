using EfConcurrency.Messaging;
using Microsoft.EntityFrameworkCore;

namespace Orders.Shipping;

/// <summary>Ships what is in stock.</summary>
public sealed class ShipmentHandler(ShippingContext db) : IMessageHandler<ShipmentRequested>
{
    public async Task HandleAsync(ShipmentRequested message, MessageContext context, CancellationToken cancellationToken)
    {
        var item = await db.Stock.SingleAsync(s => s.Id == message.Item, cancellationToken);
        if (item.Count == 0)
        {
            db.Outbox().Enqueue(new ShipmentRefused(message.OrderId), key: message.OrderId.ToString());
            return;
        }

        item.Count--;
        db.Add(new Shipment { OrderId = message.OrderId, Item = message.Item });
        db.Outbox().Enqueue(new OrderShipped(message.OrderId), key: message.OrderId.ToString());
    }
}
