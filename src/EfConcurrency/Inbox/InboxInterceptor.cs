using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Inbox;

/// <summary>
/// Where a message is to be accepted by the next save and no transaction is open, what EF writes in another way would be committed without the
/// message, and be done again when that is delivered again.
/// </summary>
internal sealed class InboxInterceptor(ContextInbox inbox, ICurrentDbContext context) : DbCommandInterceptor
{
    public override InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        if (inbox.HasPendingWork && command.Transaction is null && System.Transactions.Transaction.Current is null && context.Context.Database.CurrentTransaction is null)
        {
            throw InboxTransactionRequiredException.ForOtherWrite();
        }

        return result;
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(NonQueryExecuting(command, eventData, result));
}
