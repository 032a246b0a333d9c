using EfConcurrency.Messaging;
using Microsoft.EntityFrameworkCore;

namespace Orders.Paying;

/// <summary>Takes money, when there is enough, and gives it back.</summary>
public sealed class PaymentHandlers(PayingContext db) : IMessageHandler<OrderPlaced>, IMessageHandler<RefundRequested>
{
    public async Task HandleAsync(OrderPlaced message, MessageContext context, CancellationToken cancellationToken)
    {
        var account = await db.Accounts.SingleAsync(a => a.Id == message.CustomerId, cancellationToken);
        account.OutOfOrder += message.Number == account.LastNumber + 1 ? 0 : 1;
        account.LastNumber = message.Number;
        if (account.Balance < message.Amount)
        {
            db.Outbox().Enqueue(new PaymentRefused(message.OrderId), key: message.OrderId.ToString());
            return;
        }

        Pay(account, message.OrderId, message.Amount);
        db.Outbox().Enqueue(new PaymentTaken(message.OrderId), key: message.OrderId.ToString());
    }

    public async Task HandleAsync(RefundRequested message, MessageContext context, CancellationToken cancellationToken)
    {
        Pay(await db.Accounts.SingleAsync(a => a.Id == message.CustomerId, cancellationToken), message.OrderId, -message.Amount);
        db.Outbox().Enqueue(new PaymentRefunded(message.OrderId), key: message.OrderId.ToString());
    }

    private void Pay(Account account, Guid orderId, decimal amount)
    {
        account.Balance -= amount;
        db.Add(new Payment { OrderId = orderId, AccountId = account.Id, Amount = amount });
    }
}
