using EfConcurrency.AspNetCore.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>A payment over real HTTP, by each of the ways to make its endpoint idempotent, with authorization on.</summary>
public abstract class PaymentConformance(PaymentDatabase database, PaymentApi api) : IClassFixture<PaymentDatabase>
{
    protected PaymentDatabase Database => database;

    /// <summary>What the work behind the endpoint does on the way.</summary>
    internal PaymentScript Script { get; } = new();

    /// <summary>Completed when the server has seen that a client is gone.</summary>
    protected TaskCompletionSource Aborted { get; } = new();

    protected string Account { get; } = Guid.NewGuid().ToString("N");

    protected string Key { get; } = Guid.NewGuid().ToString();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected static string Path(string account) => $"/accounts/{account}/payments";

    protected HttpRequestMessage Request(string key) => TestApp.Request(HttpMethod.Post, Path(Account), new PaymentInput(10), ("X-User", "ann"), ("Idempotency-Key", key));

    protected Task<HttpResponseMessage> PayAsync(TestApp app, string key, int amount = 10, string user = "ann")
        => app.SendAsync(HttpMethod.Post, Path(Account), new PaymentInput(amount), ("X-User", user), ("Idempotency-Key", key));

    protected Task<TestApp> StartAsync(Action<IServiceCollection>? services = null) => TestApp.StartAsync(
        database.ConnectionString,
        app =>
        {
            app.Use((http, next) =>
            {
                http.RequestAborted.Register(() => Aborted.TrySetResult());
                return next(http);
            });
            PaymentEndpoints.Map(app, api);
        },
        s =>
        {
            database.Register(s);
            TestUsers.Register(s);
            s.AddSingleton(Script);
            s.AddIdempotency<PaymentContext>(o =>
            {
                o.ScopeByUser();
                o.MaxRequestBytes = 64_000;
            });
            if (api == PaymentApi.Mvc)
            {
                TestApp.Controllers(typeof(PaymentsController))(s);
            }

            services?.Invoke(s);
        });
}
