using System.Net;
using EfConcurrency.AspNetCore.Idempotency;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>Scopes, settings, and where the middleware stands.</summary>
public sealed class IdempotencySettingsTests(PaymentDatabase database) : IClassFixture<PaymentDatabase>
{
    private readonly string _key = Guid.NewGuid().ToString();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Without_a_scope_the_application_does_not_start()
        => Assert.Contains("scope", Assert.Throws<IdempotencyScopeException>(() => new ServiceCollection().AddIdempotency<PaymentContext>(_ => { })).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Without_registration_or_with_a_scope_taken_away_no_endpoint_is_served()
    {
        await using var unregistered = await TestApp.StartAsync(database.ConnectionString, a => a.MapPost("/", () => "x").WithIdempotency(), s => database.Register(s));
        using var first = await unregistered.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key));
        await HttpAssert.IsStatusAsync(first, HttpStatusCode.InternalServerError);

        await using var unscoped = await StartAsync(a => a.MapPost("/", () => "x").WithIdempotency(o => o.Scope = null), o => o.ScopeByUser());
        using var second = await unscoped.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key));
        await HttpAssert.IsStatusAsync(second, HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task A_caller_without_an_identity_is_not_served_unless_the_application_says_so()
    {
        var runs = 0;
        await using var closed = await StartAsync(a => a.MapPost("/", () => ++runs).WithIdempotency(), o => o.ScopeByUser());
        using var refused = await closed.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key));
        await HttpAssert.IsStatusAsync(refused, HttpStatusCode.InternalServerError);
        Assert.Equal(0, runs);

        await using var open = await StartAsync(a => a.MapPost("/", () => ++runs).WithIdempotency(), o => o.AllowAnonymous = true);
        Assert.Equal(["1", "1"], [await PostAsync(open, "/"), await PostAsync(open, "/")]);
    }

    [Fact]
    public async Task Nobody_can_take_the_place_of_the_anonymous_or_of_another()
    {
        var runs = 0;
        await using var app = await StartAsync(
            a => a.MapPost("/", () => ++runs).WithIdempotency(),
            o =>
            {
                o.AllowAnonymous = true;
                o.Scope = c => c.Request.Headers["X-Tenant"].ToString();
            });
        var answers = new List<string>();
        foreach (var tenant in (string[])["", "anonymous", "a", "a|POST /", "a%7CPOST /", new string('b', 300), new string('b', 301)])
        {
            using var response = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key), ("X-Tenant", tenant));
            answers.Add(await response.Content.ReadAsStringAsync(Token));
        }

        Assert.Equal(["1", "2", "3", "4", "5", "6", "7"], answers);
    }

    /// <summary>What stands between caller and operation may be a part of either: "a" calling "x|POST /" is not "a|x" calling "POST /".</summary>
    [Fact]
    public async Task Nobody_can_take_the_place_of_another_by_the_name_of_a_method()
    {
        var runs = 0;
        await using var app = await StartAsync(
            a => a.Map("/", () => ++runs).WithIdempotency(o => o.Fingerprint = FingerprintParts.Body),
            o => o.Scope = c => c.Request.Headers["X-Tenant"].ToString());
        using var first = await app.SendAsync(new("x|POST"), "/", body: null, ("Idempotency-Key", _key), ("X-Tenant", "a"));
        using var second = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key), ("X-Tenant", "a|x"));
        Assert.Equal(["1", "2"], [await first.Content.ReadAsStringAsync(Token), await second.Content.ReadAsStringAsync(Token)]);
    }

    [Fact]
    public async Task The_same_key_for_another_operation_is_another_key()
    {
        var runs = 0;
        await using var app = await StartAsync(a =>
        {
            var group = a.MapGroup("/items").WithIdempotency();
            group.MapPost("{id}/a", () => ++runs);
            group.MapPost("{id}/b", () => ++runs);
            group.MapPut("{id}/a", () => ++runs);
        });
        Assert.Equal(["1", "2", "1"], [await PostAsync(app, "/items/1/a"), await PostAsync(app, "/items/1/b"), await PostAsync(app, "/items/1/a")]);
        using var put = await app.SendAsync(HttpMethod.Put, "/items/1/a", body: null, ("Idempotency-Key", _key));
        Assert.Equal("3", await put.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task An_endpoint_changes_the_settings_of_its_group_or_leaves_it()
    {
        var runs = 0;
        await using var app = await StartAsync(a =>
        {
            var group = a.MapGroup("").WithIdempotency();
            group.MapPost("/strict", () => ++runs);
            group.MapPost("/lenient", () => ++runs).WithIdempotency(o => o.RequireKey = false);
            group.MapPost("/out", () => ++runs).WithoutIdempotency();
            group.MapGet("/read", () => ++runs);
        });
        using var strict = await app.SendAsync(HttpMethod.Post, "/strict");
        await HttpAssert.IsProblemAsync(strict, HttpStatusCode.BadRequest, "idempotency-key-malformed");
        using var lenient = await app.SendAsync(HttpMethod.Post, "/lenient");
        await HttpAssert.IsStatusAsync(lenient, HttpStatusCode.OK);
        using var read = await app.SendAsync(HttpMethod.Get, "/read");
        await HttpAssert.IsStatusAsync(read, HttpStatusCode.OK);
        Assert.Equal(["3", "3", "4", "5"], [await PostAsync(app, "/lenient"), await PostAsync(app, "/lenient"), await PostAsync(app, "/out"), await PostAsync(app, "/out")]);
    }

    [Fact]
    public async Task A_fingerprint_can_leave_parts_out()
    {
        var runs = 0;
        await using var app = await StartAsync(a =>
        {
            a.MapPost("/loose/{id}", (string id) => ++runs).WithIdempotency(o => o.Fingerprint = FingerprintParts.Method | FingerprintParts.Body);
        });
        Assert.Equal(["1", "1"], [await PostAsync(app, "/loose/1?x=1"), await PostAsync(app, "/loose/2?x=2")]);
        using var otherBody = await app.SendAsync(HttpMethod.Post, "/loose/1", new PaymentInput(1), ("Idempotency-Key", _key));
        await HttpAssert.IsProblemAsync(otherBody, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
    }

    [Fact]
    public async Task A_middleware_before_authorization_serves_nothing()
    {
        var runs = 0;
        await using var app = await TestApp.StartAsync(
            database.ConnectionString,
            a =>
            {
                a.UseRouting();
                a.UseIdempotency();
                a.UseAuthorization();
                a.MapPost("/", () => ++runs);
            },
            s =>
            {
                database.Register(s);
                TestUsers.Register(s);
                s.AddIdempotency<PaymentContext>(o => o.AllowAnonymous = true);
            });
        using var response = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", _key));
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.InternalServerError);
        Assert.Equal(0, runs);
    }

    [Fact]
    public async Task Stored_bodies_can_be_encrypted_and_open_for_their_own_key_only()
    {
        var runs = 0;
        await using var app = await StartAsync(a => a.MapPost("/", () => $"secret {++runs}").WithIdempotency(o => o.UseDataProtection()), services: s => s.AddDataProtection());
        Assert.Equal(["secret 1", "secret 1"], [await PostAsync(app, "/"), await PostAsync(app, "/")]);
        Assert.False(await database.ScalarAsync<bool>($"select position('secret'::bytea in response_body) > 0 from efc.idempotency_key where key = '{_key}'"));

        var other = Guid.NewGuid().ToString();
        await PostAsync(app, "/", other);
        await database.ExecuteAsync($"update efc.idempotency_key set response_body = (select response_body from efc.idempotency_key where key = '{_key}') where key = '{other}'");
        using var moved = await app.SendAsync(HttpMethod.Post, "/", body: null, ("Idempotency-Key", other));
        await HttpAssert.IsStatusAsync(moved, HttpStatusCode.InternalServerError);
        Assert.Equal(2, runs);
    }

    [Theory]
    [InlineData("Set-Cookie")]
    [InlineData("date")]
    [InlineData("traceparent")]
    public void Headers_that_belong_to_the_first_caller_or_the_moment_can_not_be_replayed(string header)
        => Assert.Contains(header, Assert.Throws<ArgumentException>(() => new ServiceCollection().AddIdempotency<PaymentContext>(o => o.ScopeByUser().ReplayedHeaders.Add(header))).Message, StringComparison.Ordinal);

    [Fact]
    public void Settings_that_make_no_sense_are_named()
    {
        Assert.Contains("MinKeyLength", Refusal(o => o.MinKeyLength = 0), StringComparison.Ordinal);
        Assert.Contains("MaxRequestBytes", Refusal(o => o.MaxRequestBytes = -1), StringComparison.Ordinal);
        Assert.Contains("DisconnectGrace", Refusal(o => o.DisconnectGrace = TimeSpan.FromSeconds(-1)), StringComparison.Ordinal);
        Assert.Contains("InsertLast", Refusal(o => o.Mode = IdempotencyMode.InsertLast), StringComparison.Ordinal);
    }

    private static string Refusal(Action<IdempotentHttpOptions> configure)
        => Assert.ThrowsAny<ArgumentException>(() => new ServiceCollection().AddIdempotency<PaymentContext>(o => configure(o.ScopeByUser()))).Message;

    private async Task<string> PostAsync(TestApp app, string path, string? key = null)
    {
        using var response = await app.SendAsync(HttpMethod.Post, path, body: null, ("Idempotency-Key", key ?? _key));
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
        return await response.Content.ReadAsStringAsync(Token);
    }

    private Task<TestApp> StartAsync(Action<WebApplication> map, Action<IdempotentHttpOptions>? options = null, Action<IServiceCollection>? services = null)
        => TestApp.StartAsync(database.ConnectionString, map, s =>
        {
            database.Register(s);
            s.AddIdempotency<PaymentContext>(options ?? (o => o.AllowAnonymous = true));
            services?.Invoke(s);
        });
}
