using EfConcurrency.AspNetCore.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>Endpoints that a test makes up, for anybody, on the minimal API.</summary>
public abstract class IdempotentEndpoint(PaymentDatabase database) : IClassFixture<PaymentDatabase>
{
    protected PaymentDatabase Database => database;

    protected string Account { get; } = Guid.NewGuid().ToString("N");

    protected string Key { get; } = Guid.NewGuid().ToString();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected async Task AddAsync(PaymentContext db)
    {
        db.Add(new Payment { Account = Account });
        await db.SaveChangesAsync();
    }

    protected Task<HttpResponseMessage> PostAsync(TestApp app, string path, string? key = null) => app.SendAsync(HttpMethod.Post, path, body: null, ("Idempotency-Key", key ?? Key));

    protected Task<TestApp> StartAsync(Action<WebApplication> map, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
        => TestApp.StartAsync(database.ConnectionString, map, s =>
        {
            database.Register(s, npgsql);
            s.AddIdempotency<PaymentContext>(o => o.AllowAnonymous = true);
        });
}
