using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace EfConcurrency.QueryPipeline;

/// <summary>What the room of the lock operators has to say while a query with locks runs.</summary>
internal interface ILockedQueryGuard
{
    /// <summary>Throws when the locks would protect nothing.</summary>
    void BeforeSending(DbContext context);

    /// <summary>The rows are read and locked, or <paramref name="failure"/> is what the caller gets.</summary>
    /// <param name="wait">How the query waits.</param>
    /// <param name="elapsed">Since it was sent.</param>
    /// <param name="failure">Null: all went well.</param>
    void Ended(LockWait wait, TimeSpan elapsed, Exception? failure);

    /// <summary>The refusal to overwrite an entity that has unsaved changes.</summary>
    Exception UnsavedChanges(EntityEntry entry);

    /// <summary>Puts the transaction in order after a failure and says what it means; null leaves the failure as it is.</summary>
    /// <param name="context">The context.</param>
    /// <param name="failure">What EF threw.</param>
    /// <param name="wait">How the query waits.</param>
    /// <param name="async">Whether to talk to the database asynchronously.</param>
    ValueTask<Exception?> ExplainAsync(DbContext context, Exception failure, LockWait wait, bool async);
}
