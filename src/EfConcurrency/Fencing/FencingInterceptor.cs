using System.Data.Common;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfConcurrency.Fencing;

/// <summary>
/// What the database refused outside of <c>SaveChanges</c> (ExecuteUpdate, ExecuteDelete, raw SQL), as the exceptions that a save throws.
/// </summary>
internal sealed class FencingInterceptor(FencingRejection rejection) : IDbCommandInterceptor
{
    public void CommandFailed(DbCommand command, CommandErrorEventData eventData)
    {
        if (eventData.CommandSource != CommandSource.SaveChanges
            && SqlStates.FindPostgresException(eventData.Exception) is { } error
            && rejection.Explain(error, eventData.Exception) is { } explained)
        {
            throw explained;
        }
    }

    public Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        CommandFailed(command, eventData);
        return Task.CompletedTask;
    }
}
