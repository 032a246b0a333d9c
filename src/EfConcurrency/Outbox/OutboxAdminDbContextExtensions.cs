using EfConcurrency.Outbox;

namespace Microsoft.EntityFrameworkCore;

/// <summary>What operators do with an outbox.</summary>
public static class OutboxAdminDbContextExtensions
{
    /// <summary>Lists, replays, purges and repairs. Needs the context as long as it is used.</summary>
    /// <param name="context">A context whose model has <c>HasOutbox()</c>.</param>
    /// <returns>The administration of its outbox.</returns>
    /// <exception cref="OutboxTableMissingException">The model has no outbox.</exception>
    public static IOutboxAdmin OutboxAdmin(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new OutboxAdmin(context);
    }
}
