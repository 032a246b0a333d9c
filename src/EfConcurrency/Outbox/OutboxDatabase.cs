using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Outbox;

/// <summary>The outbox of a context: its tables, statements and connections. Needs the context no longer.</summary>
internal sealed class OutboxDatabase
{
    /// <summary>Two for each sink, and a few for what comes seldom.</summary>
    private const int ConnectionsBeside = 3;

    private OutboxDatabase(OutboxTable table, SideConnections connections)
    {
        Table = table;
        Connections = connections;
        Leases = new(table);
        Reads = new(table);
        Acks = new(table);
        Pending = new(table);
    }

    public OutboxTable Table { get; }

    public SideConnections Connections { get; }

    public OutboxLeaseSql Leases { get; }

    public OutboxReadSql Reads { get; }

    public OutboxAckSql Acks { get; }

    public OutboxPendingSql Pending { get; }

    /// <exception cref="OutboxTableMissingException">The model has no outbox.</exception>
    public static OutboxDatabase Of(DbContext context, int sinks)
        => new(OutboxTable.Of(context), SideConnections.Of(context, "efc-outbox", (2 * sinks) + ConnectionsBeside, context.GetService<TimeProvider>()));
}
