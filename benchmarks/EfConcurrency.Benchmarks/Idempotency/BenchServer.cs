using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.Benchmarks.Idempotency;

/// <summary>Kestrel on a free port of the loopback interface, and a client with as many connections as it has workers.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    public const string KeyHeader = "Idempotency-Key";

    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private BenchServer(WebApplication app)
    {
        _app = app;
        _client = new(new SocketsHttpHandler()) { BaseAddress = new(app.Urls.First()) };
    }

    public static async Task<BenchServer> StartAsync(string connectionString, bool withLibrary)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { EnvironmentName = "Production" });
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRouting();
        builder.Services.AddDbContextPool<IdempotencyContext>(o =>
        {
            o.UseNpgsql(connectionString);
            if (withLibrary)
            {
                o.UseEfConcurrency();
            }
        });
        if (withLibrary)
        {
            builder.Services.AddIdempotency<IdempotencyContext>(o => o.Scope = _ => KeyByHand.Scope);
        }

        var app = builder.Build();
        app.MapPost("/{account:int}/nothing", (int account, Withdrawal request) => new Receipt(account, (int)request.Amount));
        app.MapPost("/{account:int}/bare", WithdrawAsync);
        app.MapPost("/{account:int}/by-hand", ByHandAsync);
        if (withLibrary)
        {
            app.MapPost("/{account:int}/keyed", WithdrawAsync).WithIdempotency();
        }

        await app.StartAsync();
        return new(app);
    }

    /// <summary>Posts, and reads the answer to its end.</summary>
    /// <param name="path">The account and the endpoint.</param>
    /// <param name="account">What is in the body.</param>
    /// <param name="key">The key, if one is sent.</param>
    /// <param name="isReplay">What it has to be.</param>
    public async Task PostAsync(string path, int account, string? key = null, bool isReplay = false)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(NewKeyBenchmark.Request(account), JsonSerializerOptions.Web));
        content.Headers.ContentType = new("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        if (key is not null)
        {
            request.Headers.Add(KeyHeader, key);
        }

        using var response = await _client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        if (response.Headers.Contains("Idempotency-Replayed") != isReplay)
        {
            throw new InvalidOperationException(isReplay ? "The key was to be known." : "The key was to be new.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    private static Task<Receipt> WithdrawAsync(int account, Withdrawal request, IdempotencyContext db, CancellationToken cancellationToken)
        => db.ChangeAndSaveAsync(account, cancellationToken);

    private static Task<Receipt> ByHandAsync(int account, Withdrawal request, IdempotencyContext db, HttpRequest http)
        => KeyByHand.ClaimAroundSaveAsync(db, account, http.Headers[KeyHeader].ToString(), request);
}
