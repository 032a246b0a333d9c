using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A dispatcher as a process would run it.</summary>
internal sealed class Dispatching : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly OutboxDispatcher<DispatchContext> _dispatcher;

    private Dispatching(ServiceProvider services)
    {
        _services = services;
        _dispatcher = services.GetRequiredService<OutboxDispatcher<DispatchContext>>();
    }

    public IHostedService Service => _dispatcher;

    public Messages Log { get; private init; } = null!;

    public static Task<Dispatching> StartAsync(string connectionString, Action<OutboxDispatcherOptions>? configure, params IOutboxTransport[] transports)
        => StartAsync(TimeProvider.System, connectionString, configure, transports);

    public static async Task<Dispatching> StartAsync(TimeProvider time, string connectionString, Action<OutboxDispatcherOptions>? configure, params IOutboxTransport[] transports)
    {
        var log = new Messages();
        var services = new ServiceCollection();
        services.AddSingleton(time);
        services.AddLogging(l => l.SetMinimumLevel(LogLevel.Debug).AddProvider(log));
        services.AddDbContext<DispatchContext>(o => o.UseNpgsql(connectionString).UseEfConcurrency());
        foreach (var transport in transports)
        {
            services.AddSingleton(transport);
        }

        services.AddOutboxDispatcher<DispatchContext>(o =>
        {
            // Tests share a log: each sink has its own messages only, and waits for nothing longer than it must.
            o.StartAt = OutboxStart.Now;
            o.EmptyPartitions = false;
            o.LeaseLength = TimeSpan.FromSeconds(3);
            o.RetryDelay = TimeSpan.FromMilliseconds(20);
            o.MaxRetryDelay = TimeSpan.FromMilliseconds(100);
            configure?.Invoke(o);
        });
        var dispatching = new Dispatching(services.BuildServiceProvider()) { Log = log };
        await dispatching.Service.StartAsync(TestContext.Current.CancellationToken);
        return dispatching;
    }

    /// <summary>Starts it, and waits until every lane of the transport has a leader.</summary>
    public static async Task<Dispatching> StartAsync(DatabaseFixture database, IOutboxTransport transport, Action<OutboxDispatcherOptions>? configure = null, string? connectionString = null)
    {
        var dispatching = await StartAsync(connectionString ?? database.ConnectionString, configure, transport);
        await Eventually.IsTrueAsync(async () => await database.ScalarAsync<long>($"select count(*) from efc.outbox_cursor where sink = '{transport.Sink}' and owner is not null") == DispatchContext.Lanes);
        return dispatching;
    }

    public DispatchContext OpenContext() => _services.CreateScope().ServiceProvider.GetRequiredService<DispatchContext>();

    public Task StopAsync() => Service.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _dispatcher.StopAsync(CancellationToken.None);
        foreach (var line in Log.Lines.Where(l => l.Level >= LogLevel.Warning))
        {
            TestContext.Current.TestOutputHelper?.WriteLine(line.Text);
        }

        await _services.DisposeAsync();
    }

    /// <summary>What was logged.</summary>
    internal sealed class Messages : ILoggerProvider, ILogger
    {
        private readonly List<(int Id, LogLevel Level, string Text)> _lines = [];

        public IReadOnlyList<(int Id, LogLevel Level, string Text)> Lines
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
            {
                _lines.Add((eventId.Id, logLevel, formatter(state, exception) + exception));
            }
        }

        public void Dispose()
        {
        }
    }
}
