using System.Net;
using EfConcurrency.AspNetCore.Idempotency;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>What is held back, kept, and refused.</summary>
public sealed class ResponseCaptureTests(PaymentDatabase database) : IClassFixture<PaymentDatabase>
{
    private readonly string _account = Guid.NewGuid().ToString("N");
    private readonly string _key = Guid.NewGuid().ToString();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

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
        Assert.Equal(2, await database.EffectsAsync(_account));
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
        Assert.Equal((0, 0), (await database.EffectsAsync(_account), await database.KeysAsync(_key)));
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
        var response = app.Client.SendAsync(TestApp.Request(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key)), HttpCompletionOption.ResponseHeadersRead, Token);
        await written.Task.WaitAsync(Token);
        using var other = await PostAsync(app, "/");
        await HttpAssert.IsProblemAsync(other, HttpStatusCode.Conflict, "idempotency-in-progress");
        Assert.False(response.IsCompleted);
        go.SetResult();
        using var done = await response;
        Assert.Equal("early", await done.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task Of_a_response_whose_commit_is_refused_nothing_is_sent()
    {
        await database.ExecuteAsync($"""
            create function "refuse {_account}"() returns trigger language plpgsql as $$ begin raise exception 'planted'; end $$;
            create constraint trigger "refuse {_account}" after insert on "Payments" deferrable initially deferred
                for each row when (new."Account" = '{_account}') execute function "refuse {_account}"();
            """);
        await using var app = await StartAsync(a => a.MapPost("/", async (PaymentContext db, HttpContext http) =>
        {
            await AddAsync(db);
            http.Response.Headers.Append("Link", "<of-the-handler>");
            await http.Response.WriteAsync("paid");
        }).WithIdempotency());
        using var response = await PostAsync(app, "/");
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.InternalServerError);
        Assert.DoesNotContain("paid", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        Assert.Equal((0, 0), (await database.EffectsAsync(_account), await database.KeysAsync(_key)));
    }

    [Fact]
    public async Task Of_a_response_whose_claim_was_lost_nothing_is_in_the_refusal()
    {
        await using var app = await StartAsync(a => a.MapPost("/", async (HttpContext http) =>
        {
            await database.ExecuteAsync($"update efc.idempotency_key set fence = fence + 1 where key = '{_key}'");
            http.Response.Headers.Append("Link", "<of-the-handler>");
            await http.Response.WriteAsync("paid");
        }).WithIdempotency(o => o.Mode = IdempotencyMode.TwoPhase));
        using var response = await PostAsync(app, "/");
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.Conflict, "idempotency-claim-lost");
        Assert.False(response.Headers.Contains("Link"));
    }

    [Fact]
    public async Task What_can_not_be_replayed_is_not_offered_and_is_given_back_afterwards()
    {
        var (inside, afterwards, offers) = (-1, -1, new Offers());
        await using var app = await StartAsync(a =>
        {
            a.Use(async (http, next) =>
            {
                http.Features.Set<IHttpResponseTrailersFeature>(offers);
                http.Features.Set<IHttpUpgradeFeature>(offers);
                http.Features.Set<IHttpExtendedConnectFeature>(offers);
                await next(http);
                afterwards = Offers.Count(http.Features);
            });
            a.MapPost("/", (HttpContext http) => inside = Offers.Count(http.Features)).WithIdempotency();
        });
        using var response = await PostAsync(app, "/");
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
        Assert.Equal((0, 3), (inside, afterwards));
    }

    [Fact]
    public async Task An_execution_strategy_runs_a_minimal_API_again_from_the_start()
    {
        var runs = 0;
        await using var app = await StartAsync(
            a => a.MapPost("/", async (PaymentInput input, PaymentContext db, HttpContext http) =>
            {
                await AddAsync(db);
                http.Response.Headers.Append("Link", $"<run-{++runs}>");
                await http.Response.WriteAsync($"run {runs} of {input.Amount}, ");
                if (runs == 1)
                {
                    await db.Database.ExecuteSqlRawAsync("do $$ begin raise exception 'planted' using errcode = '40P01'; end $$");
                }
            }).WithIdempotency(),
            npgsql => npgsql.EnableRetryOnFailure(2, TimeSpan.FromMilliseconds(10), errorCodesToAdd: null));
        using var response = await app.SendAsync(HttpMethod.Post, "/", new PaymentInput(7), ("Idempotency-Key", _key));
        Assert.Equal("run 2 of 7, ", await response.Content.ReadAsStringAsync(Token));
        Assert.Equal(["<run-2>"], response.Headers.GetValues("Link"));
        Assert.Equal(1, await database.EffectsAsync(_account));
    }

    [Fact]
    public async Task A_refusal_for_want_of_a_precondition_is_not_kept_and_a_failed_one_is()
    {
        await using var app = await StartAsync(a => a.MapPost("/", (EfConcurrency.AspNetCore.Preconditions.IfMatch ifMatch) => ifMatch.Matches("v1")
            ? TypedResults.Ok("done")
            : throw new EfConcurrency.AspNetCore.Preconditions.PreconditionFailedException()).RequireIfMatch().WithIdempotency());
        using var missing = await PostAsync(app, "/");
        await HttpAssert.IsProblemAsync(missing, HttpStatusCode.PreconditionRequired, "precondition-required");

        using var failed = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key), ("If-Match", "\"v0\""));
        await HttpAssert.IsProblemAsync(failed, HttpStatusCode.PreconditionFailed, "precondition-failed");
        using var again = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key), ("If-Match", "\"v0\""));
        Assert.True(again.Headers.Contains("Idempotency-Replayed"));
        using var other = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key), ("If-Match", "\"v1\""));
        await HttpAssert.IsProblemAsync(other, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
    }

    [Fact]
    public async Task A_client_that_is_gone_for_too_long_ends_the_work()
    {
        var (entered, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(a => a.MapPost("/", async (PaymentContext db, CancellationToken cancellationToken) =>
        {
            await AddAsync(db);
            entered.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                ended.SetResult();
            }
        }).WithIdempotency(o => o.DisconnectGrace = TimeSpan.FromMilliseconds(50)));
        using var gone = new CancellationTokenSource();
        var request = app.Client.SendAsync(TestApp.Request(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key)), gone.Token);
        await entered.Task.WaitAsync(Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal((0, 0), (await database.EffectsAsync(_account), await database.KeysAsync(_key)));
    }

    [Fact]
    public async Task In_two_phases_a_repetition_goes_on_behind_the_step_that_is_done()
    {
        var (charges, isDown) = (new List<string>(), true);
        await using var app = await StartAsync(a => a.MapPost("/", async (PaymentContext db, CancellationToken cancellationToken) =>
        {
            var phases = db.CurrentIdempotencyPhases();
            var charge = await phases.CallAsync(
                "charge",
                (downstreamKey, _) =>
                {
                    charges.Add(downstreamKey);
                    return Task.FromResult(charges.Count);
                },
                cancellationToken: cancellationToken);
            if (isDown)
            {
                throw new InvalidOperationException("planted");
            }

            await phases.RunAsync("book", async (context, token) =>
            {
                context.Add(new Payment { Account = _account, Amount = charge });
                await context.SaveChangesAsync(token);
            }, cancellationToken);
            return TypedResults.Ok(charge);
        }).WithIdempotency(o => o.Mode = IdempotencyMode.TwoPhase));

        using var failed = await PostAsync(app, "/");
        await HttpAssert.IsStatusAsync(failed, HttpStatusCode.InternalServerError);
        isDown = false;
        using var done = await PostAsync(app, "/");
        Assert.Equal("1", await done.Content.ReadAsStringAsync(Token));
        using var again = await PostAsync(app, "/");
        Assert.True(again.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal("1", await again.Content.ReadAsStringAsync(Token));
        Assert.Single(charges);
        Assert.Equal(1, await database.EffectsAsync(_account));
    }

    private static async IAsyncEnumerable<string> Events()
    {
        await Task.Yield();
        yield return "one";
    }

    private async Task AddAsync(PaymentContext db)
    {
        db.Add(new Payment { Account = _account });
        await db.SaveChangesAsync();
    }

    private Task<HttpResponseMessage> PostAsync(TestApp app, string path, string? key = null) => app.SendAsync(HttpMethod.Post, path, body: null, ("Idempotency-Key", key ?? _key));

    private Task<TestApp> StartAsync(Action<WebApplication> map, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
        => TestApp.StartAsync(database.ConnectionString, map, s =>
        {
            database.Register(s, npgsql);
            s.AddIdempotency<PaymentContext>(o => o.AllowAnonymous = true);
        });

    /// <summary>A server that could do all that a stored response can't.</summary>
    private sealed class Offers : IHttpResponseTrailersFeature, IHttpUpgradeFeature, IHttpExtendedConnectFeature
    {
        public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();

        public bool IsUpgradableRequest => true;

        public bool IsExtendedConnect => true;

        public string? Protocol => "websocket";

        public static int Count(IFeatureCollection features)
            => new object?[] { features.Get<IHttpResponseTrailersFeature>(), features.Get<IHttpUpgradeFeature>(), features.Get<IHttpExtendedConnectFeature>() }.Count(f => f is Offers);

        public Task<Stream> UpgradeAsync() => throw new NotSupportedException();

        public ValueTask<Stream> AcceptAsync() => throw new NotSupportedException();
    }
}
