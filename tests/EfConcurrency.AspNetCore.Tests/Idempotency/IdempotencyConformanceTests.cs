using System.Net;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.PostgresTests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>What every way to make an endpoint idempotent does, over real HTTP, with authorization on.</summary>
public abstract class IdempotencyConformanceTests(PaymentDatabase database, PaymentApi api) : PaymentConformance(database, api)
{
    [Fact]
    public async Task A_repetition_gets_the_first_response_octet_by_octet_and_has_no_effect()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, Key);
        await HttpAssert.IsStatusAsync(first, HttpStatusCode.Created);
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal([Key], first.Headers.GetValues("Idempotency-Key"));

        using var second = await PayAsync(app, Key);
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.Created);
        Assert.Equal(["true"], second.Headers.GetValues("Idempotency-Replayed"));
        Assert.Equal([Key], second.Headers.GetValues("Idempotency-Key"));
        Assert.Equal(await first.Content.ReadAsByteArrayAsync(Token), await second.Content.ReadAsByteArrayAsync(Token));
        Assert.Equal(first.Content.Headers.ContentType, second.Content.Headers.ContentType);
        Assert.Equal(first.Content.Headers.ContentLength, second.Content.Headers.ContentLength);
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal("\"v1\"", HttpAssert.ETag(second));
        Assert.True(first.Headers.Contains("Set-Cookie") && first.Headers.Contains("X-Trace"));
        Assert.False(second.Headers.Contains("Set-Cookie") || second.Headers.Contains("X-Trace"));
        Assert.Equal(1, await Database.EffectsAsync(Account));
        Assert.Equal(1, Script.Runs(Account));
    }

    [Fact]
    public async Task While_the_first_is_at_work_the_second_is_told_to_wait()
    {
        await using var app = await StartAsync();
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        Script.On(Account, async token =>
        {
            entered.TrySetResult();
            await go.Task.WaitAsync(token);
        });
        var first = PayAsync(app, Key);
        await entered.Task.WaitAsync(Token);

        using (var second = await PayAsync(app, Key))
        {
            await HttpAssert.IsProblemAsync(second, HttpStatusCode.Conflict, "idempotency-in-progress");
            Assert.Equal(TimeSpan.FromSeconds(1), second.Headers.RetryAfter?.Delta);
        }

        go.SetResult();
        using var done = await first;
        await HttpAssert.IsStatusAsync(done, HttpStatusCode.Created);
        using var third = await PayAsync(app, Key);
        Assert.True(third.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await Database.EffectsAsync(Account));
    }

    [Fact]
    public async Task Of_many_twins_one_takes_effect_and_all_that_are_answered_get_the_same()
    {
        await using var app = await StartAsync();
        var responses = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => PayAsync(app, Key)));
        Assert.All(responses, r => Assert.Contains(r.StatusCode, (HttpStatusCode[])[HttpStatusCode.Created, HttpStatusCode.Conflict]));
        var bodies = await Task.WhenAll(responses.Where(r => r.StatusCode == HttpStatusCode.Created).Select(r => r.Content.ReadAsStringAsync(Token)));
        Assert.Single(bodies.Distinct());
        Assert.Single(responses, r => r.StatusCode == HttpStatusCode.Created && !r.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await Database.EffectsAsync(Account));
    }

    [Fact]
    public async Task A_disconnect_does_not_undo_or_forget_what_was_begun()
    {
        await using var app = await StartAsync();
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        Script.On(Account, async token =>
        {
            entered.TrySetResult();
            await go.Task.WaitAsync(token);
        });
        using var gone = new CancellationTokenSource();
        var first = app.Client.SendAsync(Request(Key), gone.Token);
        await entered.Task.WaitAsync(Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Aborted.Task.WaitAsync(Token);
        go.SetResult();

        HttpResponseMessage? retry = null;
        await Eventually.IsTrueAsync(async () =>
        {
            retry?.Dispose();
            retry = await PayAsync(app, Key);
            return retry.StatusCode != HttpStatusCode.Conflict;
        });
        await HttpAssert.IsStatusAsync(retry!, HttpStatusCode.Created);
        Assert.True(retry!.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, Script.Runs(Account));
        Assert.Equal(1, await Database.EffectsAsync(Account));
        retry.Dispose();
    }

    [Fact]
    public async Task Who_may_not_is_refused_before_anything_is_replayed()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, Key);
        using var anonymous = await app.SendAsync(HttpMethod.Post, Path(Account), new PaymentInput(10), ("Idempotency-Key", Key));
        await HttpAssert.IsStatusAsync(anonymous, HttpStatusCode.Unauthorized);
        using var blocked = await app.SendAsync(HttpMethod.Post, Path(Account), new PaymentInput(10), ("Idempotency-Key", Key), ("X-User", "ann"), ("X-Blocked", "1"));
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
        using var first = await PayAsync(app, Key, amount);
        using var second = await PayAsync(app, Key, amount);
        Assert.Equal((status, status), (first.StatusCode, second.StatusCode));
        Assert.Equal(isKept, second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(isKept, await first.Content.ReadAsStringAsync(Token) == await second.Content.ReadAsStringAsync(Token));
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal(effects, await Database.EffectsAsync(Account));
        Assert.Equal(isKept ? 1 : 0, await Database.KeysAsync(Key));
        Assert.Empty(app.Errors);
    }

    [Fact]
    public async Task A_refusal_of_binding_is_not_kept()
    {
        await using var app = await StartAsync();
        for (var i = 0; i < 2; i++)
        {
            using var response = await app.SendAsync(HttpMethod.Post, Path(Account), "no payment", ("X-User", "ann"), ("Idempotency-Key", Key));
            await HttpAssert.IsStatusAsync(response, HttpStatusCode.BadRequest);
            Assert.False(response.Headers.Contains("Idempotency-Replayed"));
        }

        Assert.Equal(0, await Database.KeysAsync(Key));
        using var mended = await PayAsync(app, Key);
        await HttpAssert.IsStatusAsync(mended, HttpStatusCode.Created);
    }

    [Fact]
    public async Task An_exception_leaves_nothing_and_the_repetition_works()
    {
        await using var app = await StartAsync();
        Script.On(Account, _ => throw new InvalidOperationException("planted"));
        using var first = await PayAsync(app, Key);
        await HttpAssert.IsStatusAsync(first, HttpStatusCode.InternalServerError);
        Assert.Equal((0, 0), (await Database.EffectsAsync(Account), await Database.KeysAsync(Key)));
        Script.On(Account, _ => Task.CompletedTask);
        using var second = await PayAsync(app, Key);
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.Created);
        Assert.False(second.Headers.Contains("Idempotency-Replayed"));
    }

    [Fact]
    public async Task An_oversized_body_is_refused_with_and_without_a_length()
    {
        await using var app = await StartAsync();
        using var declared = await app.SendAsync(HttpMethod.Post, Path(Account), new string('x', 70_000), ("X-User", "ann"), ("Idempotency-Key", Key));
        await HttpAssert.IsProblemAsync(declared, HttpStatusCode.RequestEntityTooLarge, "request-too-large");

        var chunked = Request(Key);
        chunked.Content = new StreamContent(new MemoryStream(new byte[70_000]));
        chunked.Headers.TransferEncodingChunked = true;
        using var streamed = await app.Client.SendAsync(chunked, Token);
        await HttpAssert.IsProblemAsync(streamed, HttpStatusCode.RequestEntityTooLarge, "request-too-large");
        Assert.Equal(0, await Database.KeysAsync(Key));
    }

    [Fact]
    public async Task The_clock_of_the_web_server_does_not_matter()
    {
        await using var early = await StartAsync(s => s.AddSingleton<TimeProvider>(new ShiftedTime(TimeSpan.FromDays(-400))));
        await using var late = await StartAsync(s => s.AddSingleton<TimeProvider>(new ShiftedTime(TimeSpan.FromDays(400))));
        using var first = await PayAsync(early, Key);
        using var second = await PayAsync(late, Key);
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.Created);
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await Database.EffectsAsync(Account));
    }
}

public sealed class MinimalApiIdempotencyTests(PaymentDatabase database) : IdempotencyConformanceTests(database, PaymentApi.MinimalApi);

public sealed class MvcIdempotencyTests(PaymentDatabase database) : IdempotencyConformanceTests(database, PaymentApi.Mvc);

public sealed class MiddlewareIdempotencyTests(PaymentDatabase database) : IdempotencyConformanceTests(database, PaymentApi.Middleware);
