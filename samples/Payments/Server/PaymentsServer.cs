using Microsoft.AspNetCore.Authentication;
using Microsoft.EntityFrameworkCore;
using OpenTelemetry.Metrics;

namespace Payments.Server;

/// <summary>The web server. Everything that makes it safe to repeat a request is in this file and in the two endpoints.</summary>
internal static class PaymentsServer
{
    public const string ConnectionVariable = "PAYMENTS_CONNECTION";

    public static void UseDatabase(DbContextOptionsBuilder options, string connectionString) => options.UseNpgsql(connectionString).UseEfConcurrency();

    public static async Task RunAsync(string url)
    {
        var builder = WebApplication.CreateBuilder(["--urls", url]);
        builder.Logging.ClearProviders().AddSimpleConsole(o => o.SingleLine = true).SetMinimumLevel(LogLevel.Error);
        var connectionString = Environment.GetEnvironmentVariable(ConnectionVariable)!;
        builder.Services.AddDbContextPool<BankContext>(o => UseDatabase(o, connectionString));
        builder.Services.AddDbContextFactory<BankContext>(o => UseDatabase(o, connectionString));
        builder.Services.AddIdempotency<BankContext>(o => o.ScopeByUser());
        builder.Services.AddIdempotencyCleanup<BankContext>();
        builder.Services.AddEfConcurrencyProblemDetails();
        builder.Services.AddAuthentication(CustomerAuthentication.Scheme).AddScheme<AuthenticationSchemeOptions, CustomerAuthentication>(CustomerAuthentication.Scheme, null);
        builder.Services.AddAuthorization();

        using var prometheus = new PrometheusExporter();
        using var telemetry = SampleTelemetry.Start("payments", m => m.AddReader(new BaseExportingMetricReader(prometheus)));
        await using var app = builder.Build();
        app.UseExceptionHandler();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/accounts/{id:int}", async (int id, BankContext db, CancellationToken ct) => await db.Accounts.FindAsync([id], ct)).WithETag().RequireAuthorization();
        app.MapPost("/accounts/{id:int}/withdraw", Withdrawals.PostAsync).WithIdempotency().RequireAuthorization();
        app.MapPost("/webhooks/provider", Webhooks.PostAsync);
        app.MapGet("/metrics", () => TypedResults.Text(prometheus.Scrape(), PrometheusExporter.ContentType));
        await app.StartAsync();
        Console.WriteLine($"listening {app.Urls.First()}");
        await app.WaitForShutdownAsync();
    }
}
