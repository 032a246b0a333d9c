using EfConcurrency.Inbox;

namespace Microsoft.EntityFrameworkCore;

/// <summary>The inbox of a context.</summary>
public static class InboxDbContextExtensions
{
    /// <summary>Recognises messages that were handled before.</summary>
    /// <param name="context">A context with <c>UseEfConcurrency()</c> whose model has <c>HasInbox()</c>.</param>
    /// <returns>The inbox; it belongs to the context.</returns>
    /// <exception cref="InvalidOperationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static IInbox Inbox(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return ContextInbox.Of(context);
    }
}
