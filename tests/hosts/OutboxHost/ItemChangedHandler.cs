using EfConcurrency.Messaging;
using Microsoft.EntityFrameworkCore;

namespace OutboxHost;

/// <summary>Writes down what it was told, and after what.</summary>
internal sealed class ItemChangedHandler(StormContext db) : IMessageHandler<ItemChanged>
{
    public async Task HandleAsync(ItemChanged message, MessageContext context, CancellationToken cancellationToken)
    {
        var after = await db.Applied.Where(a => a.ItemId == message.ItemId).OrderByDescending(a => a.Number).Select(a => a.Number).FirstOrDefaultAsync(cancellationToken);
        db.Add(new Applied { ItemId = message.ItemId, Number = message.Number, After = after });
    }
}
