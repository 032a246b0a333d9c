using System.Net;
using System.Net.Sockets;
using System.Text;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.PostgresTests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>What every way to make an endpoint idempotent does, over real HTTP, with authorization on.</summary>
public abstract class IdempotencyConformanceTests(PaymentDatabase database, Action<WebApplication> map, Type? controller = null) : IClassFixture<PaymentDatabase>
{
    private readonly PaymentScript _script = new();
    private readonly TaskCompletionSource _aborted = new();
    private readonly string _account = Guid.NewGuid().ToString("N");
    private readonly string _key = Guid.NewGuid().ToString();

    protected PaymentDatabase Database => database;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_repetition_gets_the_first_response_octet_by_octet_and_has_no_effect()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, _key);
        await HttpAssert.IsStatusAsync(first, HttpStatusCode.Created);
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal([_key], first.Headers.GetValues("Idempotency-Key"));

        using var second = await PayAsync(app, _key);
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.Created);
        Assert.Equal(["true"], second.Headers.GetValues("Idempotency-Replayed"));
        Assert.Equal([_key], second.Headers.GetValues("Idempotency-Key"));
        Assert.Equal(await first.Content.ReadAsByteArrayAsync(Token), await second.Content.ReadAsByteArrayAsync(Token));
        Assert.Equal(first.Content.Headers.ContentType, second.Content.Headers.ContentType);
        Assert.Equal(first.Content.Headers.ContentLength, second.Content.Headers.ContentLength);
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal("\"v1\"", HttpAssert.ETag(second));
        Assert.True(first.Headers.Contains("Set-Cookie") && first.Headers.Contains("X-Trace"));
        Assert.False(second.Headers.Contains("Set-Cookie") || second.Headers.Contains("X-Trace"));
        Assert.Equal(1, await database.EffectsAsync(_account));
        Assert.Equal(1, _script.Runs(_account));
    }

    [Fact]
    public async Task A_quoted_key_and_the_same_characters_bare_are_one_key()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, $"\"{_key}\"");
        using var second = await PayAsync(app, _key);
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await database.EffectsAsync(_account));
    }

    [Fact]
    public async Task A_missing_key_is_refused()
    {
        await using var app = await StartAsync();
        using var response = await app.SendAsync(HttpMethod.Post, Path(_account), new PaymentInput(10), ("X-User", "ann"));
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.BadRequest, "idempotency-key-malformed");
        Assert.Equal(0, await database.EffectsAsync(_account));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("\"abc")]
    [InlineData("abc\"")]
    [InlineData("\"a\"b\"")]
    [InlineData("\"a\\b\"")]
    [InlineData("\"abc\\\"")]
    [InlineData("\"a\", \"b\"")]
    [InlineData("a, b")]
    [InlineData("a b")]
    [InlineData("\"abc\";v=1")]
    [InlineData("a\tb")]
    public async Task A_malformed_key_is_refused(string key)
    {
        await using var app = await StartAsync();
        using var response = await PayAsync(app, key);
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.BadRequest, "idempotency-key-malformed");
        Assert.Equal(0, await database.EffectsAsync(_account));
    }

    [Fact]
    public async Task A_key_given_twice_or_over_long_is_refused()
    {
        await using var app = await StartAsync();
        Assert.StartsWith("HTTP/1.1 400 ", await SendRawAsync(app, "Idempotency-Key: a\r\nIdempotency-Key: a\r\n"), StringComparison.Ordinal);
        Assert.Equal(0, await database.EffectsAsync(_account));
        using var tooLong = await PayAsync(app, new string('x', 256));
        await HttpAssert.IsProblemAsync(tooLong, HttpStatusCode.BadRequest, "idempotency-key-malformed");
        using var longest = await PayAsync(app, new string('x', 255));
        await HttpAssert.IsStatusAsync(longest, HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_key_reused_for_another_request_is_refused()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, _key);
        using var otherBody = await PayAsync(app, _key, amount: 11);
        await HttpAssert.IsProblemAsync(otherBody, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        using var otherRoute = await app.SendAsync(HttpMethod.Post, Path(_account + "x"), new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", _key));
        await HttpAssert.IsProblemAsync(otherRoute, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        using var otherQuery = await app.SendAsync(HttpMethod.Post, Path(_account) + "?x=1", new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", _key));
        await HttpAssert.IsProblemAsync(otherQuery, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        Assert.Equal(1, await database.EffectsAsync(_account));
    }

    [Fact]
    public async Task The_order_of_the_query_does_not_matter()
    {
        await using var app = await StartAsync();
        using var first = await app.SendAsync(HttpMethod.Post, Path(_account) + "?a=1&b=2", new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", _key));
        using var second = await app.SendAsync(HttpMethod.Post, Path(_account) + "?b=2&a=1", new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", _key));
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));
    }

    [Fact]
    public async Task While_the_first_is_at_work_the_second_is_told_to_wait()
    {
        await using var app = await StartAsync();
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _script.On(_account, async token =>
        {
            entered.TrySetResult();
            await go.Task.WaitAsync(token);
        });
        var first = PayAsync(app, _key);
        await entered.Task.WaitAsync(Token);

        using (var second = await PayAsync(app, _key))
        {
            await HttpAssert.IsProblemAsync(second, HttpStatusCode.Conflict, "idempotency-in-progress");
            Assert.Equal(TimeSpan.FromSeconds(1), second.Headers.RetryAfter?.Delta);
        }

        go.SetResult();
        using var done = await first;
        await HttpAssert.IsStatusAsync(done, HttpStatusCode.Created);
        using var third = await PayAsync(app, _key);
        Assert.True(third.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await database.EffectsAsync(_account));
    }

    [Fact]
    public async Task Of_many_twins_one_takes_effect_and_all_that_are_answered_get_the_same()
    {
        await using var app = await StartAsync();
        var responses = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => PayAsync(app, _key)));
        Assert.All(responses, r => Assert.Contains(r.StatusCode, (HttpStatusCode[])[HttpStatusCode.Created, HttpStatusCode.Conflict]));
        var bodies = await Task.WhenAll(responses.Where(r => r.StatusCode == HttpStatusCode.Created).Select(r => r.Content.ReadAsStringAsync(Token)));
        Assert.Single(bodies.Distinct());
        Assert.Single(responses, r => r.StatusCode == HttpStatusCode.Created && !r.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await database.EffectsAsync(_account));
    }

    [Fact]
    public async Task A_disconnect_does_not_undo_or_forget_what_was_begun()
    {
        await using var app = await StartAsync();
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _script.On(_account, async token =>
        {
            entered.TrySetResult();
            await go.Task.WaitAsync(token);
        });
        using var gone = new CancellationTokenSource();
        var first = app.Client.SendAsync(Request(_key), gone.Token);
        await entered.Task.WaitAsync(Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await _aborted.Task.WaitAsync(Token);
        go.SetResult();

        HttpResponseMessage? retry = null;
        await Eventually.IsTrueAsync(async () =>
        {
            retry?.Dispose();
            retry = await PayAsync(app, _key);
            return retry.StatusCode != HttpStatusCode.Conflict;
        });
        await HttpAssert.IsStatusAsync(retry!, HttpStatusCode.Created);
        Assert.True(retry!.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, _script.Runs(_account));
        Assert.Equal(1, await database.EffectsAsync(_account));
        retry.Dispose();
    }

    [Fact]
    public async Task Anothers_key_is_another_key()
    {
        await using var app = await StartAsync();
        using var ann = await PayAsync(app, _key);
        using var bob = await PayAsync(app, _key, user: "bob");
        await HttpAssert.IsStatusAsync(bob, HttpStatusCode.Created);
        Assert.False(bob.Headers.Contains("Idempotency-Replayed"));
        Assert.NotEqual(await ann.Content.ReadAsStringAsync(Token), await bob.Content.ReadAsStringAsync(Token));
        Assert.Equal(2, await database.EffectsAsync(_account));
    }

    [Fact]
    public async Task Who_may_not_is_refused_before_anything_is_replayed()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, _key);
        using var anonymous = await app.SendAsync(HttpMethod.Post, Path(_account), new PaymentInput(10), ("Idempotency-Key", _key));
        await HttpAssert.IsStatusAsync(anonymous, HttpStatusCode.Unauthorized);
        using var blocked = await app.SendAsync(HttpMethod.Post, Path(_account), new PaymentInput(10), ("Idempotency-Key", _key), ("X-User", "ann"), ("X-Blocked", "1"));
        await HttpAssert.IsStatusAsync(blocked, HttpStatusCode.Forbidden);
        Assert.Empty(await blocked.Content.ReadAsStringAsync(Token));
    }

    [Theory]
    [InlineData(-5, HttpStatusCode.UnprocessableEntity, true, 0)]
    [InlineData(204, HttpStatusCode.NoContent, true, 1)]
    [InlineData(302, HttpStatusCode.Redirect, true, 1)]
    [InlineData(409, HttpStatusCode.Conflict, false, 0)]
    [InlineData(500, HttpStatusCode.InternalServerError, false, 0)]
    public async Task What_is_kept_depends_on_the_status(int amount, HttpStatusCode status, bool isKept, int effects)
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, _key, amount);
        using var second = await PayAsync(app, _key, amount);
        Assert.Equal((status, status), (first.StatusCode, second.StatusCode));
        Assert.Equal(isKept, second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(isKept, await first.Content.ReadAsStringAsync(Token) == await second.Content.ReadAsStringAsync(Token));
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal(effects, await database.EffectsAsync(_account));
        Assert.Equal(isKept ? 1 : 0, await database.KeysAsync(_key));
        Assert.Empty(app.Errors);
    }

    [Fact]
    public async Task A_refusal_of_binding_is_not_kept()
    {
        await using var app = await StartAsync();
        for (var i = 0; i < 2; i++)
        {
            using var response = await app.SendAsync(HttpMethod.Post, Path(_account), "no payment", ("X-User", "ann"), ("Idempotency-Key", _key));
            await HttpAssert.IsStatusAsync(response, HttpStatusCode.BadRequest);
            Assert.False(response.Headers.Contains("Idempotency-Replayed"));
        }

        Assert.Equal(0, await database.KeysAsync(_key));
        using var mended = await PayAsync(app, _key);
        await HttpAssert.IsStatusAsync(mended, HttpStatusCode.Created);
    }

    [Fact]
    public async Task An_exception_leaves_nothing_and_the_repetition_works()
    {
        await using var app = await StartAsync();
        _script.On(_account, _ => throw new InvalidOperationException("planted"));
        using var first = await PayAsync(app, _key);
        await HttpAssert.IsStatusAsync(first, HttpStatusCode.InternalServerError);
        Assert.Equal((0, 0), (await database.EffectsAsync(_account), await database.KeysAsync(_key)));
        _script.On(_account, _ => Task.CompletedTask);
        using var second = await PayAsync(app, _key);
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.Created);
        Assert.False(second.Headers.Contains("Idempotency-Replayed"));
    }

    [Fact]
    public async Task An_oversized_body_is_refused_with_and_without_a_length()
    {
        await using var app = await StartAsync();
        using var declared = await app.SendAsync(HttpMethod.Post, Path(_account), new string('x', 70_000), ("X-User", "ann"), ("Idempotency-Key", _key));
        await HttpAssert.IsProblemAsync(declared, HttpStatusCode.RequestEntityTooLarge, "request-too-large");

        var chunked = Request(_key);
        chunked.Content = new StreamContent(new MemoryStream(new byte[70_000]));
        chunked.Headers.TransferEncodingChunked = true;
        using var streamed = await app.Client.SendAsync(chunked, Token);
        await HttpAssert.IsProblemAsync(streamed, HttpStatusCode.RequestEntityTooLarge, "request-too-large");
        Assert.Equal(0, await database.KeysAsync(_key));
    }

    [Fact]
    public async Task An_expired_key_is_a_new_one()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, _key);
        await database.ExecuteAsync($"update efc.idempotency_key set expires_at = clock_timestamp() - interval '1 second' where key = '{_key}'");
        using var second = await PayAsync(app, _key, amount: 12);
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.Created);
        Assert.False(second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(2, await database.EffectsAsync(_account));
    }

    [Fact]
    public async Task The_clock_of_the_web_server_does_not_matter()
    {
        await using var early = await StartAsync(s => s.AddSingleton<TimeProvider>(new ShiftedTime(TimeSpan.FromDays(-400))));
        await using var late = await StartAsync(s => s.AddSingleton<TimeProvider>(new ShiftedTime(TimeSpan.FromDays(400))));
        using var first = await PayAsync(early, _key);
        using var second = await PayAsync(late, _key);
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.Created);
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await database.EffectsAsync(_account));
    }

    protected static string Path(string account) => $"/accounts/{account}/payments";

    private HttpRequestMessage Request(string key) => TestApp.Request(HttpMethod.Post, Path(_account), new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", key));

    private Task<HttpResponseMessage> PayAsync(TestApp app, string key, int amount = 10, string user = "ann")
        => app.SendAsync(HttpMethod.Post, Path(_account), new PaymentInput(amount), ("X-User", user), ("Idempotency-Key", key));

    /// <summary>As no client of good manners sends it: what the first line of the answer is.</summary>
    private async Task<string> SendRawAsync(TestApp app, string headers)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(app.Address.Host, app.Address.Port, Token);
        const string body = "{\"amount\":10}";
        var request = $"POST {Path(_account)} HTTP/1.1\r\nHost: localhost\r\nX-User: ann\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n{headers}\r\n{body}";
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), Token);
        using var reader = new StreamReader(socket.GetStream());
        return (await reader.ReadLineAsync(Token))!;
    }

    private Task<TestApp> StartAsync(Action<IServiceCollection>? services = null) => TestApp.StartAsync(
        database.ConnectionString,
        app =>
        {
            app.Use((http, next) =>
            {
                http.RequestAborted.Register(() => _aborted.TrySetResult());
                return next(http);
            });
            map(app);
        },
        s =>
        {
            database.Register(s);
            TestUsers.Register(s);
            s.AddSingleton(_script);
            s.AddIdempotency<PaymentContext>(o =>
            {
                o.ScopeByUser();
                o.MaxRequestBytes = 64_000;
            });
            if (controller is not null)
            {
                TestApp.Controllers(controller)(s);
            }

            services?.Invoke(s);
        });
}

public sealed class MinimalApiIdempotencyTests(PaymentDatabase database) : IdempotencyConformanceTests(database, PaymentEndpoints.MapMinimal);

public sealed class MvcIdempotencyTests(PaymentDatabase database) : IdempotencyConformanceTests(database, app => app.MapControllers(), typeof(PaymentsController));

public sealed class MiddlewareIdempotencyTests(PaymentDatabase database) : IdempotencyConformanceTests(database, PaymentEndpoints.MapUnderMiddleware);
