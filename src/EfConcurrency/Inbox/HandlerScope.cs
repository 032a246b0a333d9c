using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.Inbox;

/// <summary>A DI scope for each attempt, and the context in it.</summary>
internal sealed class HandlerScope<TContext>(IServiceScopeFactory scopes) : IRetryContextSource<TContext>
    where TContext : DbContext
{
    private AsyncServiceScope? _scope;

    /// <summary>The services of the attempt under way.</summary>
    public IServiceProvider Services => _scope!.Value.ServiceProvider;

    public async ValueTask<TContext> OpenAsync(CancellationToken cancellationToken)
    {
        if (System.Transactions.Transaction.Current is not null)
        {
            throw RetryUnitState.InsideTransaction();
        }

        _scope = scopes.CreateAsyncScope();
        try
        {
            var context = Services.GetRequiredService<TContext>();
            return ReferenceEquals(context, Services.GetRequiredService<TContext>()) ? context
                : throw new InvalidOperationException(
                    $"{typeof(TContext).Name} is registered as a transient service, so that a handler would get another context than the one in whose transaction its message is accepted. Register it as a scoped service (AddDbContext, AddDbContextPool).");
        }
        catch
        {
            await _scope.Value.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public ValueTask CloseAsync(TContext context, bool isCommitted) => _scope!.Value.DisposeAsync();
}
