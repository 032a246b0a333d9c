#pragma warning disable CS0618 // How far a command of several statements came is told by its list of statements only, which the provider itself uses too.
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// Puts a riding lock before an <c>ExecuteUpdate</c> or <c>ExecuteDelete</c>, whose rows the provider counts over all statements of the command.
/// Not for saves: their rows are checked statement by statement, and the lock is one of the envelope.
/// </summary>
internal sealed class RidingLockInterceptor(AdvisoryLockState state) : IDbCommandInterceptor
{
    public ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Riding(eventData)?.PutBefore(command);
        return ValueTask.FromResult(result);
    }

    public ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        Riding(eventData)?.Taken("free");
        return ValueTask.FromResult(result);
    }

    public Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        FindOut(command, eventData);
        return Task.CompletedTask;
    }

    public Task CommandCanceledAsync(DbCommand command, CommandEndEventData eventData, CancellationToken cancellationToken = default)
    {
        FindOut(command, eventData);
        return Task.CompletedTask;
    }

    private RidingLock? Riding(CommandEventData eventData)
        => eventData.CommandSource is CommandSource.ExecuteUpdate or CommandSource.ExecuteDelete ? state.Riding : null;

    /// <summary>The lock's is the first statement that returns a row; once it did, the failure is another statement's.</summary>
    private void FindOut(DbCommand command, CommandEventData eventData)
    {
        if (Riding(eventData) is { } riding && command is NpgsqlCommand { Statements: var statements } && statements.Any(s => s.Rows > 0))
        {
            riding.Taken("free");
        }
    }
}
