using EfConcurrency.Inbox;

namespace Microsoft.EntityFrameworkCore;

/// <summary>What operators ask an inbox.</summary>
public static class InboxAdminDbContextExtensions
{
    /// <summary>Finds who has accepted a message. Needs the context as long as it is used.</summary>
    /// <param name="context">A context whose model has <c>HasInbox()</c>.</param>
    /// <returns>The administration of its inbox.</returns>
    /// <exception cref="InboxTableMissingException">The model has no inbox.</exception>
    public static IInboxAdmin InboxAdmin(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new InboxAdmin(context);
    }
}
