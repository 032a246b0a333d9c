using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Inbox;

/// <summary>The options of one context's clean-up.</summary>
internal sealed record InboxCleanupSettings<TContext>(InboxCleanupOptions Options)
    where TContext : DbContext;
