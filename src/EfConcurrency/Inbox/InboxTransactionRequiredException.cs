namespace EfConcurrency.Inbox;

/// <summary>A message can be accepted only together with what its handler changes, and no transaction holds the two together.</summary>
public sealed class InboxTransactionRequiredException : InvalidOperationException
{
    internal InboxTransactionRequiredException(string message)
        : base(message)
    {
    }

    internal static InboxTransactionRequiredException ForAccept()
        => new(
            "TryAcceptAsync was called on a context that is in no transaction, so that a crash after it would lose the message. Call it first in a transaction "
            + "(BeginTransactionAsync, a unit of RetryOnConflictAsync), or use TrySaveAsync, which needs none.");

    internal static InboxTransactionRequiredException ForOtherWrite()
        => new(
            "ExecuteUpdate, ExecuteDelete or ExecuteSql was called outside of a transaction on a context whose next save is to accept a message: it would be committed without that. "
            + "Write by SaveChanges alone; or, in a handler, leave RetryOnConflictOptions.Transaction of the consumer at PerUnit.");
}
