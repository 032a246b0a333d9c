using EfConcurrency.AspNetCore.Idempotency;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>The ways to make an endpoint idempotent.</summary>
public enum PaymentApi
{
    MinimalApi,
    Mvc,
    Middleware,
}

/// <summary>The same endpoint three times: minimal API, MVC, and under the middleware.</summary>
internal static class PaymentEndpoints
{
    public static void Map(WebApplication app, PaymentApi api)
    {
        switch (api)
        {
            case PaymentApi.MinimalApi:
                MapMinimal(app);
                break;
            case PaymentApi.Mvc:
                app.MapControllers();
                break;
            default:
                MapUnderMiddleware(app);
                break;
        }
    }

    private static void MapMinimal(WebApplication app) => app.MapGroup("/accounts").WithIdempotency().MapPost("{account}/payments", PayAsync).RequireAuthorization(TestUsers.MayPay);

    private static void MapUnderMiddleware(WebApplication app)
    {
        app.UseRouting();
        app.UseAuthorization();
        app.UseIdempotency();
        app.MapPost("/accounts/{account}/payments", PayAsync).RequireAuthorization(TestUsers.MayPay);
    }

    public static async Task<IResult> PayAsync(string account, PaymentInput input, PaymentContext db, PaymentScript script, HttpContext http, CancellationToken cancellationToken)
    {
        var payment = new Payment { Account = account, Amount = input.Amount };
        db.Add(payment);
        await db.SaveChangesAsync(cancellationToken);
        await script.RunAsync(account, cancellationToken);
        http.Response.Headers.ETag = "\"v1\"";
        http.Response.Headers.SetCookie = "session=first";
        http.Response.Headers["X-Trace"] = Guid.NewGuid().ToString();
        return Answer(payment);
    }

    private static IResult Answer(Payment payment) => payment.Amount switch
    {
        < 0 => TypedResults.UnprocessableEntity(new { error = "negative", payment.Id }),
        400 => TypedResults.BadRequest(new { error = "odd", payment.Id }),
        409 => TypedResults.Conflict(new { payment.Id }),
        500 => TypedResults.InternalServerError(new { payment.Id }),
        204 => TypedResults.NoContent(),
        302 => TypedResults.Redirect($"/payments/{payment.Id}"),
        _ => TypedResults.Created($"/payments/{payment.Id}", payment),
    };
}

[ApiController]
[Route("accounts")]
[Authorize(TestUsers.MayPay)]
public sealed class PaymentsController(PaymentContext db, PaymentScript script) : ControllerBase
{
    [HttpPost("{account}/payments")]
    [Idempotent]
    public async Task<IResult> PayAsync(string account, PaymentInput input, CancellationToken cancellationToken)
        => await PaymentEndpoints.PayAsync(account, input, db, script, HttpContext, cancellationToken);
}
