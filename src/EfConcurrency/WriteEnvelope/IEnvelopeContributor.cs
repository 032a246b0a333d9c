using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// A pattern's part in a save. Contributors are scoped services of EF's internal provider; each is called once per attempt,
/// after EF has found the changes and before any SQL is written, so a retry by the execution strategy derives everything anew.
/// </summary>
internal interface IEnvelopeContributor
{
    /// <summary>Whether there is something to say although EF found no change (a message, a verification).</summary>
    bool HasPendingWork => false;

    /// <summary>Adds entries, guards and messages to <paramref name="save"/>.</summary>
    void Contribute(EnvelopeSave save);

    /// <summary>The statements were accepted by the database. In a caller's transaction this is not yet a commit.</summary>
    void Saved()
    {
    }

    /// <summary>
    /// What was saved with <c>acceptAllChangesOnSuccess: false</c> is accepted now: it will not be sent again.
    /// Not called after other saves, where <see cref="Saved"/> says the same.
    /// </summary>
    void ChangesAccepted()
    {
    }

    /// <summary>EF has forgotten its changes unsaved: <c>ChangeTracker.Clear()</c>, or the context goes back to its pool.</summary>
    void ChangesForgotten()
    {
    }

    /// <summary>The save has failed for good, with the exception that the caller gets.</summary>
    void Failed(Exception exception)
    {
    }

    /// <summary>
    /// A better exception for a refused save, or null. By now the failed transaction is rolled back (a caller's: to its savepoint)
    /// and the entries still are as they were sent.
    /// </summary>
    /// <param name="save">The save that failed.</param>
    /// <param name="exception">What EF throws.</param>
    /// <param name="async">False when called from <c>SaveChanges()</c>: the task must then be complete on return.</param>
    /// <param name="cancellationToken">The caller's.</param>
    ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException exception, bool async, CancellationToken cancellationToken)
        => ValueTask.FromResult<Exception?>(null);
}
