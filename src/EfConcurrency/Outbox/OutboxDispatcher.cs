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
    private readonly IOutboxTransport[] _transports = OutboxTransports.Select(transports, options);
    private readonly CancellationTokenSource _ending = new();
    private readonly OutboxOwnership _owner = OutboxOwnership.New();
    private readonly List<Func<CancellationToken, Task>> _services = [];
    private bool _isDisposed;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        OutboxTransports.Check(_transports, options);
        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            var context = scope.ServiceProvider.GetRequiredService<TContext>();
            var database = OutboxDatabase.Of(context, _transports.Length);
            AddServices(database, context);
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What is being sent may be finished until <paramref name="cancellationToken"/> says that it takes too long.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        if (cancellationToken.IsCancellationRequested)
        {
            await _ending.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The container disposes it twice: it is registered under two types.</summary>
    public override void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _ending.Cancel();
            base.Dispose();
            _ending.Dispose();
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
        => Task.WhenAll(_services.Select(s => Task.Run(() => s(stoppingToken), CancellationToken.None)));

    private void AddServices(OutboxDatabase database, TContext context)
    {
        var report = new OutboxReport(typeof(TContext), "*", loggers);
        var sinks = _transports.Select(t => new OutboxSink(database, t, options, _owner, OutboxSignal.Of(context), new(typeof(TContext), t.Sink, loggers), time)).ToList();
        _services.AddRange(sinks.Select(s => (Func<CancellationToken, Task>)(stopping => s.RunAsync(stopping, _ending.Token))));
        if (options.EmptyPartitions)
        {
            _services.Add(new OutboxRetention(database, report, time).RunAsync);
        }

        if (options.Notify)
        {
            var notifier = new OutboxNotifier(database, report, time);
            var signal = OutboxSignal.Of(context);
            _services.Add(stopping => notifier.TellAsync(signal, stopping));
            _services.Add(stopping => notifier.HearAsync(() => sinks.ForEach(s => s.Wake()), stopping));
        }
    }
}
