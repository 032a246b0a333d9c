using System.Net;
using EfConcurrency.AspNetCore.Preconditions;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.Resilience;
using EfConcurrency.Versioning;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace EfConcurrency.AspNetCore.Tests.Problems;

/// <summary>What a client is told of errors that reach the exception handler.</summary>
public sealed class ProblemResponseTests(OrderDatabase database) : IClassFixture<OrderDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_read_conflict_that_retries_did_not_settle_may_be_sent_again()
    {
        var id = await database.AddOrderAsync();
        var attempts = 0;
        await using var app = await StartAsync(a => a.MapPost("/", async (IDbContextFactory<OrderContext> factory) => await factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                var order = await db.Orders.SingleAsync(o => o.Id == id, token);
                await database.RenameAsync(id, $"other {++attempts}");
                order.Name = "secret";
                await db.SaveChangesAsync(token);
            },
            new RetryOnConflictOptions { MaxAttempts = 2, LockAfterConflicts = 0 })));

        using var response = await app.Client.PostAsync(new Uri("/", UriKind.Relative), content: null, Token);
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.Conflict, "version-conflict");
        Assert.Equal(TimeSpan.FromSeconds(3), response.Headers.RetryAfter?.Delta);
        Assert.Equal(2, attempts);
        var body = await response.Content.ReadAsStringAsync(Token);
        Assert.All((string[])["Order", "secret", "other", "version 1", "   at "], word => Assert.DoesNotContain(word, body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failed_precondition_keeps_its_tag_in_the_body_where_the_middleware_removes_the_header()
    {
        await using var app = await StartAsync(a => a.MapPost("/", void () => throw new PreconditionFailedException(new EntityTagHeaderValue("\"v5\""))));
        using var response = await app.Client.PostAsync(new Uri("/", UriKind.Relative), content: null, Token);
        var problem = await HttpAssert.IsProblemAsync(response, HttpStatusCode.PreconditionFailed, "precondition-failed");
        Assert.Equal("\"v5\"", problem.GetProperty("currentETag").GetString());
    }

    [Fact]
    public async Task A_deadlock_is_a_conflict()
    {
        await using var app = await StartAsync(a => a.MapPost("/", (OrderContext db)
            => db.Database.ExecuteSqlRawAsync("do $$ begin raise exception 'planted' using errcode = '40P01'; end $$")));
        using var response = await app.Client.PostAsync(new Uri("/", UriKind.Relative), content: null, Token);
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.Conflict, "transaction-conflict");
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task An_unknown_outcome_is_not_to_be_tried_again_blindly()
    {
        await using var app = await StartAsync(a => a.MapPost("/", void () => throw new CommitOutcomeUnknownException("The connection to 10.0.0.7 was lost.", transactionId: "815", innerException: new IOException())));
        using var response = await app.Client.PostAsync(new Uri("/", UriKind.Relative), content: null, Token);
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.InternalServerError, "outcome-unknown");
        Assert.Null(response.Headers.RetryAfter);
        Assert.DoesNotContain("10.0.0.7", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_of_the_program_stays_a_plain_error()
    {
        await using var app = await StartAsync(a => a.MapPost("/", void () => throw new RetryNotPossibleException("The code is wrong.")));
        using var response = await app.Client.PostAsync(new Uri("/", UriKind.Relative), content: null, Token);
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.InternalServerError);
        var body = await response.Content.ReadAsStringAsync(Token);
        Assert.DoesNotContain("efconcurrency", body, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_type_may_lead_to_a_page()
    {
        await using var app = await StartAsync(a => a.MapPost("/", void () => throw new PreconditionFailedException()), o => o.TypePrefix = "https://example.org/problems#");
        using var response = await app.Client.PostAsync(new Uri("/", UriKind.Relative), content: null, Token);
        Assert.Contains("\"https://example.org/problems#precondition-failed\"", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_make_no_sense_are_named()
    {
        Assert.Contains("TypePrefix", Assert.Throws<ArgumentException>(() => new ServiceCollection().AddEfConcurrencyProblemDetails(o => o.TypePrefix = " ")).Message, StringComparison.Ordinal);
        Assert.Contains("RetryAfter", Assert.Throws<ArgumentOutOfRangeException>(() => new ServiceCollection().AddEfConcurrencyProblemDetails(o => o.RetryAfter = TimeSpan.FromSeconds(-1))).Message, StringComparison.Ordinal);
    }

    private Task<TestApp> StartAsync(Action<WebApplication> configure, Action<EfConcurrency.AspNetCore.Problems.EfConcurrencyProblemOptions>? options = null)
        => TestApp.StartAsync(
            database.ConnectionString,
            a =>
            {
                a.UseExceptionHandler();
                configure(a);
            },
            s => s.AddEfConcurrencyProblemDetails(o =>
            {
                o.RetryAfter = TimeSpan.FromSeconds(2.5);
                options?.Invoke(o);
            }),
            isBare: true);
}
