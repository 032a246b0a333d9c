using EfConcurrency.Fencing;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Says under which fencing tokens a context writes.</summary>
public static class FencingDbContextExtensions
{
    /// <summary>
    /// Writes of this context carry <paramref name="token"/> until the result is disposed: for a lock of another system that a team can't drop
    /// (an etcd revision, a ZooKeeper zxid, a counter beside a Redis lock). For a lease of this library call <c>db.UseLease(lease)</c>.
    /// </summary>
    /// <remarks>
    /// A row refuses a token lower than the one it carries. With <c>HasLeases()</c> in the model the highest token used is kept for the resource
    /// too: from the first write of a new holder on, older tokens are refused for all rows. Without, a stale holder may still write rows that
    /// the new one has not written yet.
    /// </remarks>
    /// <param name="context">The context.</param>
    /// <param name="resource">What the token fences, 1 to 200 characters.</param>
    /// <param name="token">The token, above 0; must rise with every new holder.</param>
    /// <returns>Dispose it to leave the scope. A pooled context leaves it when it goes back.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The token is 0 or negative.</exception>
    /// <exception cref="InvalidOperationException">Another token of the resource is in scope, or the context has no <c>UseEfConcurrency()</c>.</exception>
    public static IDisposable UseFencingToken(this DbContext context, string resource, long token)
    {
        TokenTable.CheckName(resource, nameof(resource));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(token);
        return FencingScope.Of(context).Add(new(resource, token));
    }

    /// <summary>
    /// Shows the tokens in scope to the open transaction, so that raw SQL in it may write tables with a strict fencing trigger, and holds
    /// their leases until it ends. <c>SaveChanges</c>, <c>ExecuteUpdate</c> and <c>ExecuteDelete</c> do this by themselves.
    /// </summary>
    /// <param name="context">The context; its model has <c>HasLeases()</c>.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <returns>A task that ends when the database has accepted the tokens.</returns>
    /// <exception cref="InvalidOperationException">There is no open transaction, no token in scope, or no lease table in the model.</exception>
    /// <exception cref="FencingTokenRejectedException">A token is stale.</exception>
    public static async Task PresentFencingTokensAsync(this DbContext context, CancellationToken cancellationToken = default)
    {
        var scope = FencingScope.Of(context);
        if (scope.Presented() is not [var tokens])
        {
            throw new InvalidOperationException("No fencing token is in scope. Call it inside using (db.UseLease(lease)) or using (db.UseFencingToken(resource, token)).");
        }

        if (context.Database.CurrentTransaction is null)
        {
            throw new InvalidOperationException("Tokens are presented to a transaction, and none is open: they would be forgotten at once. Call db.Database.BeginTransactionAsync() first.");
        }

        if (FencingModel.Of(context.Model, context.GetService<ISqlGenerationHelper>()).PresentFunction is not { } function)
        {
            throw new InvalidOperationException($"The model of '{context.GetType().Name}' has no lease table, so a token can't be presented. Add modelBuilder.HasLeases() and a migration.");
        }

        var text = new SqlParameterValue(tokens, context.GetService<IRelationalTypeMappingSource>().GetMapping(typeof(string)));
        var command = ContextCommand.Create(context, FencingSql.Present(function), [text]);
        await using (command.ConfigureAwait(false))
        {
            try
            {
                await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Npgsql.PostgresException error) when (context.GetService<FencingRejection>().Explain(error, error) is { } explained)
            {
                throw explained;
            }
        }
    }
}
