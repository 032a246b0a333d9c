using System.Net;
using System.Net.Sockets;
using System.Text;
using EfConcurrency.AspNetCore.Tests.Support;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>What every way to make an endpoint idempotent takes for a key, and for the same key.</summary>
public abstract class IdempotencyKeyConformanceTests(PaymentDatabase database, PaymentApi api) : PaymentConformance(database, api)
{
    [Fact]
    public async Task A_quoted_key_and_the_same_characters_bare_are_one_key()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, $"\"{Key}\"");
        using var second = await PayAsync(app, Key);
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await Database.EffectsAsync(Account));
    }

    [Fact]
    public async Task A_missing_key_is_refused()
    {
        await using var app = await StartAsync();
        using var response = await app.SendAsync(HttpMethod.Post, Path(Account), new PaymentInput(10), ("X-User", "ann"));
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.BadRequest, "idempotency-key-malformed");
        Assert.Equal(0, await Database.EffectsAsync(Account));
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
        Assert.Equal(0, await Database.EffectsAsync(Account));
    }

    [Fact]
    public async Task A_key_given_twice_or_over_long_is_refused()
    {
        await using var app = await StartAsync();
        Assert.StartsWith("HTTP/1.1 400 ", await SendRawAsync(app, "Idempotency-Key: a\r\nIdempotency-Key: a\r\n"), StringComparison.Ordinal);
        Assert.Equal(0, await Database.EffectsAsync(Account));
        using var tooLong = await PayAsync(app, new string('x', 256));
        await HttpAssert.IsProblemAsync(tooLong, HttpStatusCode.BadRequest, "idempotency-key-malformed");
        using var longest = await PayAsync(app, new string('x', 255));
        await HttpAssert.IsStatusAsync(longest, HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_key_reused_for_another_request_is_refused()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, Key);
        using var otherBody = await PayAsync(app, Key, amount: 11);
        await HttpAssert.IsProblemAsync(otherBody, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        using var otherRoute = await app.SendAsync(HttpMethod.Post, Path(Account + "x"), new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", Key));
        await HttpAssert.IsProblemAsync(otherRoute, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        using var otherQuery = await app.SendAsync(HttpMethod.Post, Path(Account) + "?x=1", new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", Key));
        await HttpAssert.IsProblemAsync(otherQuery, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        Assert.Equal(1, await Database.EffectsAsync(Account));
    }

    [Fact]
    public async Task The_order_of_the_query_does_not_matter()
    {
        await using var app = await StartAsync();
        using var first = await app.SendAsync(HttpMethod.Post, Path(Account) + "?a=1&b=2", new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", Key));
        using var second = await app.SendAsync(HttpMethod.Post, Path(Account) + "?b=2&a=1", new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", Key));
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));
    }

    [Fact]
    public async Task Anothers_key_is_another_key()
    {
        await using var app = await StartAsync();
        using var ann = await PayAsync(app, Key);
        using var bob = await PayAsync(app, Key, user: "bob");
        await HttpAssert.IsStatusAsync(bob, HttpStatusCode.Created);
        Assert.False(bob.Headers.Contains("Idempotency-Replayed"));
        Assert.NotEqual(await ann.Content.ReadAsStringAsync(Token), await bob.Content.ReadAsStringAsync(Token));
        Assert.Equal(2, await Database.EffectsAsync(Account));
    }

    [Fact]
    public async Task An_expired_key_is_a_new_one()
    {
        await using var app = await StartAsync();
        using var first = await PayAsync(app, Key);
        await Database.ExecuteAsync($"update efc.idempotency_key set expires_at = clock_timestamp() - interval '1 second' where key = '{Key}'");
        using var second = await PayAsync(app, Key, amount: 12);
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.Created);
        Assert.False(second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(2, await Database.EffectsAsync(Account));
    }

    /// <summary>As no client of good manners sends it: what the first line of the answer is.</summary>
    private async Task<string> SendRawAsync(TestApp app, string headers)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(app.Address.Host, app.Address.Port, Token);
        const string body = "{\"amount\":10}";
        var request = $"POST {Path(Account)} HTTP/1.1\r\nHost: localhost\r\nX-User: ann\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n{headers}\r\n{body}";
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), Token);
        using var reader = new StreamReader(socket.GetStream());
        return (await reader.ReadLineAsync(Token))!;
    }
}

public sealed class MinimalApiIdempotencyKeyTests(PaymentDatabase database) : IdempotencyKeyConformanceTests(database, PaymentApi.MinimalApi);

public sealed class MvcIdempotencyKeyTests(PaymentDatabase database) : IdempotencyKeyConformanceTests(database, PaymentApi.Mvc);

public sealed class MiddlewareIdempotencyKeyTests(PaymentDatabase database) : IdempotencyKeyConformanceTests(database, PaymentApi.Middleware);
