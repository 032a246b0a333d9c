using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Outbox;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OutboxHost;

/// <summary>A dispatcher with its handlers. Tells the database how many duplicates the inbox has absorbed.</summary>
internal static class Dispatcher
{
    public static async Task RunAsync(string connectionString, string name, Way way)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.Services.AddDbContextPool<StormContext>(o => StormContext.Configure(o, connectionString));
        builder.Services.AddMessageHandlers<StormContext>(h => h.Consumer("storm").Handle<ItemChanged, ItemChangedHandler>());
        switch (way)
        {
            case Way.Sound:
                builder.Services.AddInProcessTransport<StormContext>("storm");
                builder.Services.AddOutboxDispatcher<StormContext>(Configure);
                break;
            case Way.WithoutInbox:
                builder.Services.AddSingleton<IOutboxTransport, InboxlessTransport>();
                builder.Services.AddOutboxDispatcher<StormContext>(ConfigureLate);
                break;
            default:
                builder.Services.AddHostedService(p => new ByIdDispatcher(connectionString, p.GetRequiredService<IServiceScopeFactory>()));
                break;
        }

        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(20));
        using var host = builder.Build();
        using var duplicates = new DuplicateCounter();
        await host.StartAsync();
        Console.WriteLine("started");
        var ended = host.WaitForShutdownAsync();
        while (!ended.IsCompleted)
        {
            await Task.WhenAny(ended, Task.Delay(200));
            await TellAsync(connectionString, name, duplicates.Count);
        }

        await ended;
    }

    /// <summary>Short, so that what a killed process led is soon led by another.</summary>
    private static void Configure(OutboxDispatcherOptions options)
    {
        options.LeaseLength = TimeSpan.FromSeconds(2);
        options.RetryDelay = TimeSpan.FromMilliseconds(100);
        options.MaxAttempts = 1000;
    }

    /// <summary>What was sent is kept late, so that a process that is killed at any moment leaves something to be sent again.</summary>
    private static void ConfigureLate(OutboxDispatcherOptions options)
    {
        Configure(options);
        options.LeaseLength = TimeSpan.FromSeconds(3);
        options.AckInterval = TimeSpan.FromSeconds(1);
    }

    private static async Task TellAsync(string connectionString, string name, long count)
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(connectionString);
            await using var command = source.CreateCommand("insert into absorbed values ($1, $2) on conflict (host) do update set messages = excluded.messages");
            command.Parameters.Add(new() { Value = $"{name} {Environment.ProcessId}" });
            command.Parameters.Add(new() { Value = count });
            await command.ExecuteNonQueryAsync();
        }
        catch (NpgsqlException)
        {
            // Sessions are ended on purpose.
        }
    }

    private sealed class DuplicateCounter : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public DuplicateCounter()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName && instrument.Name == "efconcurrency.inbox.messages")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            {
                foreach (var (_, tag) in tags)
                {
                    if (tag is "duplicate")
                    {
                        Interlocked.Add(ref _count, value);
                    }
                }
            });
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}
