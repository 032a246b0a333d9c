using Microsoft.EntityFrameworkCore;
using Orders.Ordering;

namespace Orders.Storm;

/// <summary>What the three databases say in the end.</summary>
internal sealed record OrdersCheck(int Placed, int Shipped, int Refused, int Refunded, int Lost, int EffectsTwice, int OutOfKeyOrder, int Unbalanced)
{
    public bool IsOk => (Lost, EffectsTwice, OutOfKeyOrder, Unbalanced) == (0, 0, 0, 0) && (Shipped, Refused, Refunded) is ( > 0, > 0, > 0);

    /// <summary>Orders that are still on their way.</summary>
    public static async Task<int> UnsettledAsync(OrdersDatabases databases, CancellationToken cancellationToken)
    {
        await using var db = await databases.Ordering.CreateDbContextAsync(cancellationToken);
        return await db.Orders.CountAsync(o => o.State == OrderState.Placed || o.State == OrderState.Paid || o.State == OrderState.Refunding, cancellationToken);
    }

    /// <param name="databases">The databases.</param>
    /// <param name="placed">How many orders were confirmed to customers.</param>
    /// <param name="stock">Pieces of each item at the start.</param>
    /// <param name="cancellationToken">Ctrl+C.</param>
    public static async Task<OrdersCheck> ReadAsync(OrdersDatabases databases, int placed, int stock, CancellationToken cancellationToken)
    {
        await using var ordering = await databases.Ordering.CreateDbContextAsync(cancellationToken);
        await using var paying = await databases.Paying.CreateDbContextAsync(cancellationToken);
        await using var shipping = await databases.Shipping.CreateDbContextAsync(cancellationToken);
        var orders = await ordering.Orders.ToListAsync(cancellationToken);
        var payments = (await paying.Payments.ToListAsync(cancellationToken)).ToLookup(p => p.OrderId);
        var accounts = await paying.Accounts.ToListAsync(cancellationToken);
        var shipments = (await shipping.Shipments.ToListAsync(cancellationToken)).ToLookup(s => s.OrderId);
        var items = await shipping.Stock.ToListAsync(cancellationToken);
        int In(OrderState state) => orders.Count(o => o.State == state);

        // What each order's end says must have happened once, and nothing else.
        bool HasItsEffects(Order order) =>
            payments[order.Id].Count(p => p.Amount > 0) == (order.State is OrderState.Shipped or OrderState.Refunded ? 1 : 0)
            && payments[order.Id].Count(p => p.Amount < 0) == (order.State == OrderState.Refunded ? 1 : 0)
            && shipments[order.Id].Count() == (order.State == OrderState.Shipped ? 1 : 0);

        return new(
            placed,
            In(OrderState.Shipped),
            In(OrderState.Refused),
            In(OrderState.Refunded),
            Lost: placed - In(OrderState.Shipped) - In(OrderState.Refused) - In(OrderState.Refunded),
            EffectsTwice: orders.Count(o => !HasItsEffects(o)),
            OutOfKeyOrder: accounts.Sum(a => a.OutOfOrder),
            Unbalanced: accounts.Count(a => a.Balance != OrdersDatabases.Balance - payments.SelectMany(p => p).Where(p => p.AccountId == a.Id).Sum(p => p.Amount))
                + items.Count(i => i.Count != stock - shipments.SelectMany(s => s).Count(s => s.Item == i.Id)));
    }

    public override string ToString()
        => $"{Placed} orders placed: {Shipped} shipped, {Refused} refused for want of money, {Refunded} paid and refunded for want of stock\n"
            + $"lost {Lost}, effects twice or missing {EffectsTwice}, out of key order {OutOfKeyOrder}, accounts or stock that do not add up {Unbalanced}";
}
