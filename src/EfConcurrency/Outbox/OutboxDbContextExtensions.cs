using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Messages that leave with a save.</summary>
public static class OutboxDbContextExtensions
{
    /// <summary>The outbox of the context: what is enqueued in it is written by the context's next save, in the same transaction and round trip.</summary>
    /// <param name="context">A context with <c>UseEfConcurrency()</c>, whose model has <c>HasOutbox()</c>.</param>
    /// <returns>The outbox; it belongs to the context.</returns>
    /// <exception cref="OutboxTableMissingException">The model has no outbox.</exception>
    /// <exception cref="InvalidOperationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static IOutbox Outbox(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _ = OutboxTable.Of(context);
        return ((IInfrastructure<IServiceProvider>)context).Instance.GetService(typeof(OutboxQueue)) as OutboxQueue
            ?? throw new InvalidOperationException($"'{context.GetType().Name}' has no UseEfConcurrency(). Call it on the context's options, beside UseNpgsql().");
    }
}
