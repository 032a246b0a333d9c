using System.Net;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AspNetCore.Tests.Idempotency;

/// <summary>The work behind an idempotent endpoint: run again, ended, and in steps.</summary>
public sealed class IdempotentWorkTests(PaymentDatabase database) : IdempotentEndpoint(database)
{
    [Fact]
    public async Task An_execution_strategy_runs_a_minimal_API_again_from_the_start()
    {
        var runs = 0;
        await using var app = await StartAsync(
            a => a.MapPost("/", async (PaymentInput input, PaymentContext db, HttpContext http) =>
            {
                await AddAsync(db);
                http.Response.Headers.Append("Link", $"<run-{++runs}>");
                await http.Response.WriteAsync($"run {runs} of {input.Amount}, ");
                if (runs == 1)
                {
                    await db.Database.ExecuteSqlRawAsync("do $$ begin raise exception 'planted' using errcode = '40P01'; end $$");
                }
            }).WithIdempotency(),
            npgsql => npgsql.EnableRetryOnFailure(2, TimeSpan.FromMilliseconds(10), errorCodesToAdd: null));
        using var response = await app.SendAsync(HttpMethod.Post, "/", new PaymentInput(7), ("Idempotency-Key", Key));
        Assert.Equal("run 2 of 7, ", await response.Content.ReadAsStringAsync(Token));
        Assert.Equal(["<run-2>"], response.Headers.GetValues("Link"));
        Assert.Equal(1, await Database.EffectsAsync(Account));
    }

    [Fact]
    public async Task A_client_that_is_gone_for_too_long_ends_the_work()
    {
        var (entered, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(a => a.MapPost("/", async (PaymentContext db, CancellationToken cancellationToken) =>
        {
            await AddAsync(db);
            entered.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                ended.SetResult();
            }
        }).WithIdempotency(o => o.DisconnectGrace = TimeSpan.FromMilliseconds(50)));
        using var gone = new CancellationTokenSource();
        var request = app.Client.SendAsync(TestApp.Request(HttpMethod.Post, "/", body: null, ("Idempotency-Key", Key)), gone.Token);
        await entered.Task.WaitAsync(Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await ended.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.Equal((0, 0), (await Database.EffectsAsync(Account), await Database.KeysAsync(Key)));
    }

    [Fact]
    public async Task In_two_phases_a_repetition_goes_on_behind_the_step_that_is_done()
    {
        var (charges, isDown) = (new List<string>(), true);
        await using var app = await StartAsync(a => a.MapPost("/", async (PaymentContext db, CancellationToken cancellationToken) =>
        {
            var phases = db.CurrentIdempotencyPhases();
            var charge = await phases.CallAsync(
                "charge",
                (downstreamKey, _) =>
                {
                    charges.Add(downstreamKey);
                    return Task.FromResult(charges.Count);
                },
                cancellationToken: cancellationToken);
            if (isDown)
            {
                throw new InvalidOperationException("planted");
            }

            await phases.RunAsync("book", async (context, token) =>
            {
                context.Add(new Payment { Account = Account, Amount = charge });
                await context.SaveChangesAsync(token);
            }, cancellationToken);
            return TypedResults.Ok(charge);
        }).WithIdempotency(o => o.Mode = IdempotencyMode.TwoPhase));

        using var failed = await PostAsync(app, "/");
        await HttpAssert.IsStatusAsync(failed, HttpStatusCode.InternalServerError);
        isDown = false;
        using var done = await PostAsync(app, "/");
        Assert.Equal("1", await done.Content.ReadAsStringAsync(Token));
        using var again = await PostAsync(app, "/");
        Assert.True(again.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal("1", await again.Content.ReadAsStringAsync(Token));
        Assert.Single(charges);
        Assert.Equal(1, await Database.EffectsAsync(Account));
    }
}
