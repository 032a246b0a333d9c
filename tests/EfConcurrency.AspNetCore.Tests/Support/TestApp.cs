using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.AspNetCore.Tests.Support;

/// <summary>A real server on a free port of the loopback interface, and a client.</summary>
public sealed class TestApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestApp(WebApplication app)
    {
        _app = app;
        Client = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new(app.Urls.First()) };
    }

    public HttpClient Client { get; }

    public Uri Address => Client.BaseAddress!;

    public IServiceProvider Services => _app.Services;

    /// <summary>What the server has logged as an error.</summary>
    public IReadOnlyCollection<string> Errors => _app.Services.GetServices<ILoggerProvider>().OfType<ErrorLog>().Single().Messages;

    public static async Task<TestApp> StartAsync(
        string connectionString, Action<WebApplication> configure, Action<IServiceCollection>? services = null, bool isBare = false)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { EnvironmentName = "Production" });
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRouting().AddLogging(l => l.SetMinimumLevel(LogLevel.Warning).Services.AddSingleton<ILoggerProvider, ErrorLog>());
        builder.Services.AddDbContextFactory<OrderContext>(o => o.UseNpgsql(connectionString).UseEfConcurrency());
        if (!isBare)
        {
            builder.Services.AddEfConcurrencyProblemDetails();
        }

        services?.Invoke(builder.Services);
        var app = builder.Build();
        if (!isBare)
        {
            app.UseExceptionHandler();
        }

        configure(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(app);
    }

    /// <summary>MVC with these controllers only.</summary>
    public static Action<IServiceCollection> Controllers(params Type[] controllers)
        => services => services.AddControllers().ConfigureApplicationPartManager(m =>
        {
            m.ApplicationParts.Clear();
            m.ApplicationParts.Add(new Part(controllers));
            m.FeatureProviders.Clear();
            m.FeatureProviders.Add(new Everything());
        });

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body = null, params (string Name, string Value)[] headers)
        => Client.SendAsync(Request(method, path, body, headers), TestContext.Current.CancellationToken);

    public static HttpRequestMessage Request(HttpMethod method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : System.Net.Http.Json.JsonContent.Create(body) };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private sealed class Part(Type[] controllers) : ApplicationPart, IApplicationPartTypeProvider
    {
        public override string Name => "tests";

        public IEnumerable<TypeInfo> Types => controllers.Select(c => c.GetTypeInfo());
    }

    private sealed class Everything : IApplicationFeatureProvider<ControllerFeature>
    {
        public void PopulateFeature(IEnumerable<ApplicationPart> parts, ControllerFeature feature)
        {
            foreach (var type in parts.OfType<IApplicationPartTypeProvider>().SelectMany(p => p.Types))
            {
                feature.Controllers.Add(type);
            }
        }
    }
}
