using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>A process that consumes, as a program makes it.</summary>
internal sealed class ConsumerUnderTest(IHost host, Script script) : IAsyncDisposable
{
    public Script Script => script;

    public IReadOnlyList<RabbitMqConnectionStatus> Status => host.Services.GetRequiredService<IRabbitMqStatus>().Connections;

    public static async Task<ConsumerUnderTest> StartAsync(
        NotesDatabase database, Uri broker, string queue, Script? script = null, Action<RabbitMqConsumerOptions>? configure = null, Action<IServiceCollection>? services = null)
    {
        script ??= new();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMinutes(1));
        builder.Services.AddSingleton(script);
        builder.Services.AddDbContextPool<NotesContext>(o => NotesDatabase.Configure(o, database.ConnectionString));
        builder.Services.AddMessageHandlers<NotesContext>(h => h.Consumer("notes").Handle<NoteAdded, NoteHandler>());
        builder.Services.AddRabbitMqConsumer<NotesContext>("notes", queue, o =>
        {
            o.Connection.Uri = broker;
            o.Connection.MinReconnectDelay = TimeSpan.FromMilliseconds(50);
            o.Connection.MaxReconnectDelay = TimeSpan.FromMilliseconds(500);
            o.RetryDelay = TimeSpan.FromMilliseconds(10);
            o.MaxRetryDelay = TimeSpan.FromMilliseconds(50);
            configure?.Invoke(o);
        });
        services?.Invoke(builder.Services);
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new(host, script);
    }

    public Task StopInTimeAsync() => host.StopAsync();

    public Task StopAsync(CancellationToken deadline) => host.StopAsync(deadline);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }
}
