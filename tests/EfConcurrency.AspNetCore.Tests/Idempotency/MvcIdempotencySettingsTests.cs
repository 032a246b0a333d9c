using System.Net;
using EfConcurrency.AspNetCore.Idempotency;
using EfConcurrency.AspNetCore.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

[ApiController]
[Route("things")]
public sealed class ThingsController(PaymentContext db, PaymentScript script) : ControllerBase
{
    [HttpPost("lenient")]
    [Idempotent(RequireKey = false)]
    public async Task<string> LenientAsync()
    {
        await script.RunAsync("lenient", HttpContext.RequestAborted);
        return $"{script.Runs("lenient")}";
    }

    [HttpPost("small")]
    [Idempotent(MaxRequestBytes = 10)]
    public IActionResult Small([FromBody] string text) => Ok(text);

    [HttpPost("transient")]
    [Idempotent]
    public async Task<string> TransientAsync()
    {
        await script.RunAsync("transient", HttpContext.RequestAborted);
        await db.Database.ExecuteSqlRawAsync("do $$ begin raise exception 'planted' using errcode = '40P01'; end $$");
        return "never";
    }

    [HttpPost("plain")]
    public async Task<string> PlainAsync()
    {
        await script.RunAsync("plain", HttpContext.RequestAborted);
        return $"{script.Runs("plain")}";
    }
}

/// <summary>Decides in MVC who may come in.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class DoorkeeperAttribute : Attribute, IAuthorizationFilter
{
    public void OnAuthorization(AuthorizationFilterContext context)
    {
        if (context.HttpContext.Request.Headers.ContainsKey("X-Blocked"))
        {
            context.Result = new StatusCodeResult(403);
        }
    }
}

[ApiController]
[Route("guarded")]
[Doorkeeper]
public sealed class GuardedController : ControllerBase
{
    [HttpPost("own")]
    [Idempotent]
    public IActionResult Own() => Ok("mine");

    [HttpPost("plain")]
    public IActionResult Plain() => Ok("mine");

    [HttpGet("plain")]
    public IActionResult Read() => Ok("mine");
}

/// <summary>What is particular to MVC.</summary>
public sealed class MvcIdempotencySettingsTests(PaymentDatabase database) : IClassFixture<PaymentDatabase>
{
    private readonly PaymentScript _script = new();
    private readonly string _key = Guid.NewGuid().ToString();

    [Fact]
    public async Task The_attribute_changes_the_defaults()
    {
        await using var app = await StartAsync(a => a.MapControllers());
        Assert.Equal(["1", "2", "3", "3"], [await PostAsync(app, "/things/lenient"), await PostAsync(app, "/things/lenient"), await PostAsync(app, "/things/lenient", _key), await PostAsync(app, "/things/lenient", _key)]);
        using var large = await app.SendAsync(HttpMethod.Post, "/things/small", "0123456789", ("Idempotency-Key", _key));
        await HttpAssert.IsProblemAsync(large, HttpStatusCode.RequestEntityTooLarge, "request-too-large");
    }

    [Fact]
    public async Task An_action_is_not_run_twice_by_an_execution_strategy()
    {
        await using var app = await StartAsync(a => a.MapControllers());
        using var response = await app.SendAsync(HttpMethod.Post, "/things/transient", body: null, ("Idempotency-Key", _key));
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.Conflict, "transaction-conflict");
        Assert.Equal(1, _script.Runs("transient"));
        Assert.Equal(0, await database.KeysAsync(_key));
    }

    [Fact]
    public async Task All_controllers_can_be_made_idempotent_where_they_are_mapped()
    {
        await using var app = await StartAsync(a => a.MapControllers().WithIdempotency());
        Assert.Equal(["1", "1"], [await PostAsync(app, "/things/plain", _key), await PostAsync(app, "/things/plain", _key)]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stored_response_does_not_pass_by_an_authorization_filter(bool isMiddleware)
    {
        await using var app = await StartAsync(a =>
        {
            if (isMiddleware)
            {
                a.UseRouting();
                a.UseIdempotency();
                a.MapControllers();
            }
            else
            {
                a.MapControllers().WithIdempotency();
            }
        });
        Assert.Equal(["mine", "mine"], [await PostAsync(app, "/guarded/own", _key), await PostAsync(app, "/guarded/own", _key)]);
        using var blocked = await app.SendAsync(HttpMethod.Post, "/guarded/own", body: null, ("Idempotency-Key", _key), ("X-Blocked", "1"));
        await HttpAssert.IsStatusAsync(blocked, HttpStatusCode.Forbidden);

        // Where nothing runs behind the filter, nothing is kept.
        using var refused = await app.SendAsync(HttpMethod.Post, "/guarded/plain", body: null, ("Idempotency-Key", _key));
        await HttpAssert.IsStatusAsync(refused, HttpStatusCode.InternalServerError);
        Assert.Contains(app.Errors, e => e.Contains("[Idempotent]", StringComparison.Ordinal));
        using var read = await app.SendAsync(HttpMethod.Get, "/guarded/plain");
        await HttpAssert.IsStatusAsync(read, HttpStatusCode.OK);
    }

    private static async Task<string> PostAsync(TestApp app, string path, string? key = null)
    {
        using var response = key is null ? await app.SendAsync(HttpMethod.Post, path) : await app.SendAsync(HttpMethod.Post, path, body: null, ("Idempotency-Key", key));
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private Task<TestApp> StartAsync(Action<WebApplication> map) => TestApp.StartAsync(database.ConnectionString, map, s =>
    {
        database.Register(s, npgsql => npgsql.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(10), errorCodesToAdd: null));
        s.AddSingleton(_script);
        s.AddIdempotency<PaymentContext>(o => o.AllowAnonymous = true);
        TestApp.Controllers(typeof(ThingsController), typeof(GuardedController))(s);
    });
}
