using EfConcurrency.Messaging;

namespace Orders;

/// <summary>An order. Its number is the customer's how many-th it is: whoever receives 7 after 8 was told in the wrong order.</summary>
public sealed record OrderPlaced(Guid OrderId, int CustomerId, int Number, int Item, decimal Amount);

public sealed record PaymentTaken(Guid OrderId);

public sealed record PaymentRefused(Guid OrderId);

public sealed record ShipmentRequested(Guid OrderId, int Item);

public sealed record OrderShipped(Guid OrderId);

public sealed record ShipmentRefused(Guid OrderId);

/// <summary>The compensation: what was paid for can't be shipped.</summary>
public sealed record RefundRequested(Guid OrderId, int CustomerId, decimal Amount);

public sealed record PaymentRefunded(Guid OrderId);

/// <summary>The names under which they travel.</summary>
public static class Messages
{
    public static void Register(MessageContractsBuilder messages) => messages
        .Add<OrderPlaced>("order.placed.v1")
        .Add<PaymentTaken>("payment.taken.v1")
        .Add<PaymentRefused>("payment.refused.v1")
        .Add<ShipmentRequested>("shipment.requested.v1")
        .Add<OrderShipped>("shipment.done.v1")
        .Add<ShipmentRefused>("shipment.refused.v1")
        .Add<RefundRequested>("refund.requested.v1")
        .Add<PaymentRefunded>("payment.refunded.v1");
}
