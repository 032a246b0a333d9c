using System.Net;
using EfConcurrency.AspNetCore.Idempotency;
using EfConcurrency.AspNetCore.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>What is held back, kept, and refused.</summary>
public sealed class ResponseCaptureTests(PaymentDatabase database) : IdempotentEndpoint(database)
{
    [Fact]
    public async Task Octets_are_replayed_whatever_made_them()
    {
        var bytes = new byte[10_000];
        Random.Shared.NextBytes(bytes);
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, bytes, Token);
        await using var app = await StartAsync(a =>
        {
            a.MapPost("/bytes", () => TypedResults.Bytes(bytes, "application/x-random")).WithIdempotency();
            a.MapPost("/file", () => TypedResults.PhysicalFile(file, "application/x-random", "name.bin")).WithIdempotency();
            a.MapPost("/raw", async (HttpContext http) =>
            {
                http.Response.ContentType = "application/x-random";
                await http.Response.StartAsync();
                await http.Response.BodyWriter.WriteAsync(bytes.AsMemory(0, 100));
                await http.Response.Body.WriteAsync(bytes.AsMemory(100));
                await http.Response.Body.FlushAsync();
                await http.Response.CompleteAsync();
            }).WithIdempotency();
        });
        foreach (var path in (string[])["/bytes", "/file", "/raw"])
        {
            using var first = await PostAsync(app, path);
            using var second = await PostAsync(app, path);
            Assert.True(second.Headers.Contains("Idempotency-Replayed"));
            Assert.Equal(bytes, await first.Content.ReadAsByteArrayAsync(Token));
            Assert.Equal(bytes, await second.Content.ReadAsByteArrayAsync(Token));
            Assert.Equal(first.Content.Headers.ToString(), second.Content.Headers.ToString());
        }

        File.Delete(file);
    }

    [Fact]
    public async Task A_response_that_is_too_large_to_be_kept_is_sent_and_its_repetition_is_led_to_it()
    {
        await using var app = await StartAsync(a => a.MapPost("/{to}", async (string to, PaymentContext db) =>
        {
            await AddAsync(db);
            var body = new string('x', 3_000_000);
            return to == "located" ? Results.Created("/payments/1", body) : Results.Text(body);
        }).WithIdempotency());

        using var first = await PostAsync(app, "/located");
        Assert.Equal(3_000_002, (await first.Content.ReadAsByteArrayAsync(Token)).Length);
        using var second = await PostAsync(app, "/located");
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.SeeOther);
        Assert.Equal("/payments/1", second.Headers.Location?.OriginalString);
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));

        var other = Guid.NewGuid().ToString();
        using var third = await PostAsync(app, "/nowhere", other);
        using var fourth = await PostAsync(app, "/nowhere", other);
        await HttpAssert.IsProblemAsync(fourth, HttpStatusCode.Conflict, "response-not-kept");
        Assert.Equal(2, await Database.EffectsAsync(Account));
    }

    [Theory]
    [InlineData("/events")]
    [InlineData("/handmade")]
    [InlineData("/unbuffered")]
    [InlineData("/swallowed")]
    [InlineData("/trailers")]
    public async Task What_can_not_be_replayed_is_refused_and_has_no_effect(string path)
    {
        await using var app = await StartAsync(a =>
        {
            var group = a.MapGroup("").WithIdempotency();
            group.MapPost("/events", async (PaymentContext db) =>
            {
                await AddAsync(db);
                return TypedResults.ServerSentEvents(Events());
            });
            group.MapPost("/handmade", async (PaymentContext db, HttpContext http) =>
            {
                await AddAsync(db);
                http.Response.ContentType = "text/event-stream";
                await http.Response.WriteAsync("data: x\n\n");
            });
            group.MapPost("/unbuffered", async (PaymentContext db, HttpContext http) =>
            {
                await AddAsync(db);
                http.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
            });
            group.MapPost("/swallowed", async (PaymentContext db, HttpContext http) =>
            {
                await AddAsync(db);
                Assert.Throws<IdempotentResponseException>(http.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering);
            });
            group.MapPost("/trailers", async (PaymentContext db, HttpContext http) =>
            {
                await AddAsync(db);
                Assert.False(http.Response.SupportsTrailers());
                http.Response.Headers["Trailer"] = "X-Sum";
            });
        });
        using var response = await PostAsync(app, path);
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.InternalServerError);
        Assert.Equal((0, 0), (await Database.EffectsAsync(Account), await Database.KeysAsync(Key)));
    }

    [Fact]
    public async Task Nothing_is_sent_before_the_commit()
    {
        var (written, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(a => a.MapPost("/", async (HttpContext http) =>
        {
            await http.Response.WriteAsync("early");
            await http.Response.Body.FlushAsync();
            written.SetResult();
            await go.Task;
        }).WithIdempotency());
        var response = app.Client.SendAsync(TestApp.Request(HttpMethod.Post, "/", body: null, ("Idempotency-Key", Key)), HttpCompletionOption.ResponseHeadersRead, Token);
        await written.Task.WaitAsync(Token);
        using var other = await PostAsync(app, "/");
        await HttpAssert.IsProblemAsync(other, HttpStatusCode.Conflict, "idempotency-in-progress");
        Assert.False(response.IsCompleted);
        go.SetResult();
        using var done = await response;
        Assert.Equal("early", await done.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task A_refusal_for_want_of_a_precondition_is_not_kept_and_a_failed_one_is()
    {
        await using var app = await StartAsync(a => a.MapPost("/", (EfConcurrency.AspNetCore.Preconditions.IfMatch ifMatch) => ifMatch.Matches("v1")
            ? TypedResults.Ok("done")
            : throw new EfConcurrency.AspNetCore.Preconditions.PreconditionFailedException()).RequireIfMatch().WithIdempotency());
        using var missing = await PostAsync(app, "/");
        await HttpAssert.IsProblemAsync(missing, HttpStatusCode.PreconditionRequired, "precondition-required");

        using var failed = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", Key), ("If-Match", "\"v0\""));
        await HttpAssert.IsProblemAsync(failed, HttpStatusCode.PreconditionFailed, "precondition-failed");
        using var again = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", Key), ("If-Match", "\"v0\""));
        Assert.True(again.Headers.Contains("Idempotency-Replayed"));
        using var other = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", Key), ("If-Match", "\"v1\""));
        await HttpAssert.IsProblemAsync(other, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
    }

    private static async IAsyncEnumerable<string> Events()
    {
        await Task.Yield();
        yield return "one";
    }
}
