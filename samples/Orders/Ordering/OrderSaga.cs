using EfConcurrency.Messaging;
using Microsoft.EntityFrameworkCore;

namespace Orders.Ordering;

/// <summary>
/// Leads an order on when a service answers. The state is a versioned row: of two answers at the same time, one is tried again on what the other has
/// left. State, the row of the inbox and the next message are one transaction.
/// </summary>
public sealed class OrderSaga(OrderingContext db) :
    IMessageHandler<PaymentTaken>,
    IMessageHandler<PaymentRefused>,
    IMessageHandler<OrderShipped>,
    IMessageHandler<ShipmentRefused>,
    IMessageHandler<PaymentRefunded>
{
    public async Task HandleAsync(PaymentTaken message, MessageContext context, CancellationToken cancellationToken)
    {
        var order = await MoveAsync(message.OrderId, OrderState.Placed, OrderState.Paid, cancellationToken);
        db.Outbox().Enqueue(new ShipmentRequested(order.Id, order.Item), key: order.Id.ToString());
    }

    public Task HandleAsync(PaymentRefused message, MessageContext context, CancellationToken cancellationToken)
        => MoveAsync(message.OrderId, OrderState.Placed, OrderState.Refused, cancellationToken);

    public Task HandleAsync(OrderShipped message, MessageContext context, CancellationToken cancellationToken)
        => MoveAsync(message.OrderId, OrderState.Paid, OrderState.Shipped, cancellationToken);

    public async Task HandleAsync(ShipmentRefused message, MessageContext context, CancellationToken cancellationToken)
    {
        var order = await MoveAsync(message.OrderId, OrderState.Paid, OrderState.Refunding, cancellationToken);
        db.Outbox().Enqueue(new RefundRequested(order.Id, order.CustomerId, order.Amount), key: order.Id.ToString());
    }

    public Task HandleAsync(PaymentRefunded message, MessageContext context, CancellationToken cancellationToken)
        => MoveAsync(message.OrderId, OrderState.Refunding, OrderState.Refunded, cancellationToken);

    private async Task<Order> MoveAsync(Guid id, OrderState from, OrderState to, CancellationToken cancellationToken)
    {
        var order = await db.Orders.SingleAsync(o => o.Id == id, cancellationToken);
        if (order.State != from)
        {
            throw new InvalidOperationException($"Order {id} can't become {to}: it is {order.State}, not {from}.");
        }

        order.State = to;
        return order;
    }
}
