using System.Net;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>What comes of a response between the handler's end and the wire.</summary>
public sealed class ResponseCommitTests(PaymentDatabase database) : IdempotentEndpoint(database)
{
    [Fact]
    public async Task Of_a_response_whose_commit_is_refused_nothing_is_sent()
    {
        await Database.ExecuteAsync($"""
            create function "refuse {Account}"() returns trigger language plpgsql as $$ begin raise exception 'planted'; end $$;
            create constraint trigger "refuse {Account}" after insert on "Payments" deferrable initially deferred
                for each row when (new."Account" = '{Account}') execute function "refuse {Account}"();
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
        Assert.Equal((0, 0), (await Database.EffectsAsync(Account), await Database.KeysAsync(Key)));
    }

    [Fact]
    public async Task Of_a_response_whose_claim_was_lost_nothing_is_in_the_refusal()
    {
        await using var app = await StartAsync(a => a.MapPost("/", async (HttpContext http) =>
        {
            await Database.ExecuteAsync($"update efc.idempotency_key set fence = fence + 1 where key = '{Key}'");
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
        var (inside, offers) = (-1, new Offers());

        // The response can be at the client before the pipeline is back in the middleware.
        var afterwards = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await StartAsync(a =>
        {
            a.Use(async (http, next) =>
            {
                http.Features.Set<IHttpResponseTrailersFeature>(offers);
                http.Features.Set<IHttpUpgradeFeature>(offers);
                http.Features.Set<IHttpExtendedConnectFeature>(offers);
                await next(http);
                afterwards.SetResult(Offers.Count(http.Features));
            });
            a.MapPost("/", (HttpContext http) => inside = Offers.Count(http.Features)).WithIdempotency();
        });
        using var response = await PostAsync(app, "/");
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
        Assert.Equal((0, 3), (inside, await afterwards.Task.WaitAsync(TimeSpan.FromMinutes(1), Token)));
    }

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
