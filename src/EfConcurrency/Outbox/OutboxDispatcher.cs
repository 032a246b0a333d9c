using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Outbox;

/// <summary>Delivers the outbox of a context to all transports that are registered, until the process stops.</summary>
internal sealed class OutboxDispatcher<TContext>(
    OutboxDispatcherOptions options, IServiceScopeFactory scopes, IEnumerable<IOutboxTransport> transports, ILoggerFactory loggers, TimeProvider time)
    : BackgroundService
    where TContext : DbContext
{
    private readonly IOutboxTransport[] _transports = [.. transports];
    private readonly CancellationTokenSource _ending = new();
    private readonly OutboxOwnership _owner = OutboxOwnership.New();
    private List<OutboxSink> _sinks = [];

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        OutboxTransports.Check(_transports, options);
        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            var context = scope.ServiceProvider.GetRequiredService<TContext>();
            var database = OutboxDatabase.Of(context, _transports.Length);
            _sinks = [.. _transports.Select(t => new OutboxSink(database, t, options, _owner, OutboxSignal.Of(context), new(t.Sink, loggers), time))];
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What is being sent may be finished until <paramref name="cancellationToken"/> says that it takes too long.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        using (cancellationToken.Register(_ending.Cancel))
        {
            await base.StopAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override void Dispose()
    {
        _ending.Cancel();
        base.Dispose();
        _ending.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
        => Task.WhenAll(_sinks.Select(s => Task.Run(() => s.RunAsync(stoppingToken, _ending.Token), CancellationToken.None)));
}
