using System.Net;
using EfConcurrency.AspNetCore.Preconditions;
using EfConcurrency.AspNetCore.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AspNetCore.Tests.Preconditions;

/// <summary>Minimal APIs, and what the database decides.</summary>
public sealed class MinimalApiPreconditionTests(OrderDatabase database) : PreconditionTests(database, isMvc: false)
{
    private static readonly OrderInput Input = new("second");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_RequireIfMatch_the_header_is_optional_and_checked_when_given()
    {
        await using var app = await StartAsync();
        var id = await Database.AddOrderAsync();
        using var without = await app.SendAsync(HttpMethod.Post, $"/orders/{id}/optional", Input);
        await HttpAssert.IsStatusAsync(without, HttpStatusCode.OK);
        using var stale = await app.SendAsync(HttpMethod.Post, $"/orders/{id}/optional", new OrderInput("third"), ("If-Match", "\"v1\""));
        await HttpAssert.IsProblemAsync(stale, HttpStatusCode.PreconditionFailed, "precondition-failed");
        using var malformed = await app.SendAsync(HttpMethod.Post, $"/orders/{id}/optional", Input, ("If-Match", "v1"));
        await HttpAssert.IsProblemAsync(malformed, HttpStatusCode.BadRequest, "malformed-header");
    }

    [Fact]
    public async Task The_loser_of_a_race_to_create_is_refused()
    {
        await using var app = await StartAsync();
        var id = await Database.AddOrderAsync();
        using var response = await app.SendAsync(HttpMethod.Put, $"/orders/{id}/blind", Input, ("If-None-Match", "*"));
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.PreconditionFailed, "precondition-failed");
    }

    [Theory]
    [InlineData("\"v1\"", HttpStatusCode.OK, "\"v2\"")]
    [InlineData("\"v9\"", HttpStatusCode.PreconditionFailed, "\"v1\"")]
    public async Task An_entity_attached_without_being_read_is_checked_by_the_save(string header, HttpStatusCode status, string tag)
    {
        await using var app = await StartAsync();
        var id = await Database.AddOrderAsync();
        using var response = await PutAsync(app, id, header, "/stub");
        await HttpAssert.IsStatusAsync(response, status);
        Assert.Equal(tag, HttpAssert.ETag(response));
    }

    [Theory]
    [InlineData("\"v1\"", HttpStatusCode.NoContent)]
    [InlineData("\"v9\", \"v1\"", HttpStatusCode.NoContent)]
    [InlineData("*", HttpStatusCode.NoContent)]
    [InlineData("\"v9\"", HttpStatusCode.PreconditionFailed)]
    [InlineData("W/\"v1\"", HttpStatusCode.PreconditionFailed)]
    public async Task A_conditional_ExecuteUpdate_takes_the_header(string header, HttpStatusCode expected)
    {
        await using var app = await StartAsync();
        var id = await Database.AddOrderAsync();
        using var response = await app.SendAsync(HttpMethod.Patch, $"/orders/{id}", Input, ("If-Match", header));
        await HttpAssert.IsStatusAsync(response, expected);
        Assert.Equal(expected == HttpStatusCode.NoContent ? ("second", 2L) : ("first", 1L), ((await Database.FindAsync(id))!.Name, (await Database.FindAsync(id))!.Version));
    }

    [Fact]
    public async Task A_conditional_ExecuteUpdate_of_nothing_is_not_found()
    {
        await using var app = await StartAsync();
        using var response = await app.SendAsync(HttpMethod.Patch, $"/orders/{Database.NewId()}", Input, ("If-Match", "\"v1\""));
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_clients_precondition_that_fails_at_the_save_is_not_retried()
    {
        var attempts = 0;
        var id = await Database.AddOrderAsync();
        await using var app = await TestApp.StartAsync(Database.ConnectionString, a => a.MapPut("/orders/{id:int}", async (IfMatch ifMatch, IDbContextFactory<OrderContext> factory) =>
            await factory.RetryOnConflictAsync(async (db, token) =>
            {
                attempts++;
                var order = await db.Orders.SingleAsync(o => o.Id == id, token);
                db.Expect(order, ifMatch);
                await Database.RenameAsync(id, $"other {attempts}");
                order.Name = "mine";
                await db.SaveChangesAsync(token);
                return order;
            })).WithETag().RequireIfMatch());

        using var response = await PutAsync(app, id, "\"v1\"");
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.PreconditionFailed, "precondition-failed");
        Assert.Equal("\"v2\"", HttpAssert.ETag(response));
        Assert.Equal(1, attempts);
        Assert.Equal("other 1", (await Database.FindAsync(id))!.Name);
    }

    [Fact]
    public async Task A_conflict_on_what_the_server_read_is_retried_beside_a_precondition_that_holds()
    {
        var attempts = 0;
        var (id, other) = (await Database.AddOrderAsync(), await Database.AddOrderAsync());
        await using var app = await TestApp.StartAsync(Database.ConnectionString, a => a.MapPut("/orders/{id:int}", async (IfMatch ifMatch, IDbContextFactory<OrderContext> factory) =>
            await factory.RetryOnConflictAsync(async (db, token) =>
            {
                var order = await db.Orders.SingleAsync(o => o.Id == id, token);
                var second = await db.Orders.SingleAsync(o => o.Id == other, token);
                db.Expect(order, ifMatch);
                if (++attempts == 1)
                {
                    await Database.RenameAsync(other, "theirs");
                }

                (order.Name, second.Name) = ("mine", "mine too");
                await db.SaveChangesAsync(token);
                return order;
            })).WithETag().RequireIfMatch());

        using var response = await PutAsync(app, id, "\"v1\"");
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task Lists_and_texts_have_no_tag()
    {
        await using var app = await StartAsync();
        using var response = await app.SendAsync(HttpMethod.Get, "/orders");
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
        Assert.Null(HttpAssert.ETag(response));
    }

    [Fact]
    public async Task All_kinds_of_versions_have_tags()
    {
        var document = await Database.AddAsync(new Document());
        var row = await Database.AddAsync(new SystemRow());
        var shadow = await Database.AddAsync(new ShadowRow());
        await using var app = await TestApp.StartAsync(Database.ConnectionString, a =>
        {
            var all = a.MapGroup("").WithETag();
            all.MapGet("/document", (OrderContext db) => db.Documents.AsNoTracking().SingleAsync());
            all.MapGet("/row", (OrderContext db) => db.SystemRows.SingleAsync());
            all.MapGet("/shadow", (OrderContext db) => db.ShadowRows.SingleAsync());
            all.MapGet("/untracked", (OrderContext db) => db.ShadowRows.AsNoTracking().SingleAsync());
            a.MapGet("/view", () => TypedResults.Ok(new OrderView("x", 12))).WithETag((OrderView v) => v.Revision);
            a.MapGet("/unknown", () => TypedResults.Ok(new OrderView("x", 12))).WithETag();
            a.MapPut("/document", async (IfMatch ifMatch, OrderContext db) =>
            {
                var found = await db.Documents.SingleAsync();
                db.Expect(found, ifMatch);
                found.Text = "changed";
                await db.SaveChangesAsync();
                return found;
            }).WithETag().RequireIfMatch();
        });

        Assert.Equal([$"\"v{document.Revision:N}\"", $"\"v{row.RowVersion}\"", "\"v1\"", "\"v12\""], await TagsAsync(app, "/document", "/row", "/shadow", "/view"));
        using var changed = await app.SendAsync(HttpMethod.Put, "/document", body: null, ("If-Match", $"\"v{document.Revision:N}\""));
        await HttpAssert.IsStatusAsync(changed, HttpStatusCode.OK);
        Assert.NotEqual($"\"v{document.Revision:N}\"", HttpAssert.ETag(changed));
        using var untracked = await app.SendAsync(HttpMethod.Get, "/untracked");
        await HttpAssert.IsStatusAsync(untracked, HttpStatusCode.InternalServerError);
        using var unknown = await app.SendAsync(HttpMethod.Get, "/unknown");
        await HttpAssert.IsStatusAsync(unknown, HttpStatusCode.InternalServerError);
        GC.KeepAlive(shadow);
    }

    private static async Task<List<string?>> TagsAsync(TestApp app, params string[] paths)
    {
        var tags = new List<string?>();
        foreach (var path in paths)
        {
            using var response = await app.Client.GetAsync(new Uri(path, UriKind.Relative), Token);
            await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
            tags.Add(HttpAssert.ETag(response));
        }

        return tags;
    }
}
