using System.Text.Json;
using EfConcurrency.AspNetCore.Tests.Idempotency;
using EfConcurrency.AspNetCore.Tests.Preconditions;
using EfConcurrency.AspNetCore.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.AspNetCore.Tests.OpenApi;

/// <summary>The document that the server serves.</summary>
public sealed class OpenApiTests(OrderDatabase database) : IClassFixture<OrderDatabase>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Preconditions_are_described(bool isMvc)
    {
        var paths = await PathsAsync(isMvc);

        var read = paths.GetProperty("/orders/{id}").GetProperty("get");
        Assert.Equal(["id", "If-None-Match"], Parameters(read));
        Assert.Contains("304", Responses(read));
        Assert.True(read.GetProperty("responses").GetProperty("200").GetProperty("headers").TryGetProperty("ETag", out _));

        var write = paths.GetProperty("/orders/{id}").GetProperty("put");
        Assert.Equal(["id", "If-Match"], Parameters(write));
        Assert.All((string[])["200", "400", "412", "428"], status => Assert.Contains(status, Responses(write)));
        Assert.True(Header(write, "If-Match").GetProperty("required").GetBoolean());
        Assert.True(write.GetProperty("responses").GetProperty("412").GetProperty("headers").TryGetProperty("ETag", out _));
        Assert.True(write.GetProperty("responses").GetProperty("412").GetProperty("content").TryGetProperty("application/problem+json", out _));

        var upsert = paths.GetProperty("/orders/{id}/upsert").GetProperty("put");
        Assert.Equal(["id", "If-Match", "If-None-Match"], Parameters(upsert));
        Assert.False(Header(upsert, "If-Match").TryGetProperty("required", out var required) && required.GetBoolean());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Idempotency_is_described(bool isMvc)
    {
        await using var app = await TestApp.StartAsync(
            database.ConnectionString,
            a =>
            {
                a.MapOpenApi();
                if (isMvc)
                {
                    a.MapControllers();
                }
                else
                {
                    PaymentEndpoints.Map(a, PaymentApi.MinimalApi);
                }
            },
            s =>
            {
                s.AddOpenApi(o => o.AddEfConcurrency());
                TestUsers.Register(s);
                s.AddIdempotency<OrderContext>(o => o.ScopeByUser());
                s.AddSingleton<PaymentScript>().AddDbContext<PaymentContext>();
                if (isMvc)
                {
                    TestApp.Controllers(typeof(PaymentsController))(s);
                    s.AddMvcCore().AddApiExplorer();
                }
            });
        var post = (await DocumentAsync(app)).GetProperty("/accounts/{account}/payments").GetProperty("post");
        Assert.Equal(["account", "Idempotency-Key"], Parameters(post));
        Assert.True(Header(post, "Idempotency-Key").GetProperty("required").GetBoolean());
        Assert.All((string[])["200", "400", "409", "413", "422"], status => Assert.Contains(status, Responses(post)));
        Assert.True(post.GetProperty("responses").GetProperty("409").GetProperty("headers").TryGetProperty("Retry-After", out _));
        Assert.True(post.GetProperty("responses").GetProperty("200").GetProperty("headers").TryGetProperty("Idempotency-Replayed", out _));
    }

    private static IEnumerable<string> Parameters(JsonElement operation)
        => operation.GetProperty("parameters").EnumerateArray().Select(p => p.GetProperty("name").GetString()!).Order(StringComparer.OrdinalIgnoreCase);

    private static JsonElement Header(JsonElement operation, string name)
        => operation.GetProperty("parameters").EnumerateArray().Single(p => p.GetProperty("name").GetString() == name && p.GetProperty("in").GetString() == "header");

    private static IEnumerable<string> Responses(JsonElement operation) => operation.GetProperty("responses").EnumerateObject().Select(p => p.Name);

    private async Task<JsonElement> PathsAsync(bool isMvc)
    {
        await using var app = await TestApp.StartAsync(
            database.ConnectionString,
            a =>
            {
                a.MapOpenApi();
                if (isMvc)
                {
                    a.MapControllers();
                }
                else
                {
                    OrderEndpoints.Map(a);
                }
            },
            s =>
            {
                s.AddOpenApi(o => o.AddEfConcurrency());
                if (isMvc)
                {
                    TestApp.Controllers(typeof(OrdersController))(s);
                    s.AddMvcCore().AddApiExplorer();
                }
            });
        return await DocumentAsync(app);
    }

    private static async Task<JsonElement> DocumentAsync(TestApp app)
        => JsonDocument.Parse(await app.Client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken)).RootElement.GetProperty("paths");
}
