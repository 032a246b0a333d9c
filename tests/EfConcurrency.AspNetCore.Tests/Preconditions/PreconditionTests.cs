using System.Net;
using EfConcurrency.AspNetCore.Tests.Support;
using Microsoft.AspNetCore.Builder;

namespace EfConcurrency.AspNetCore.Tests.Preconditions;

/// <summary>ETag, If-Match and If-None-Match, the same for minimal APIs and MVC.</summary>
public abstract class PreconditionTests(OrderDatabase database, bool isMvc) : IClassFixture<OrderDatabase>
{
    private static readonly OrderInput Input = new("second");

    protected OrderDatabase Database => database;

    [Fact]
    public async Task A_read_has_the_version_as_a_strong_tag()
    {
        await using var app = await StartAsync();
        var id = await database.AddOrderAsync();
        using var response = await app.SendAsync(HttpMethod.Get, $"/orders/{id}");
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
        Assert.Equal("\"v1\"", HttpAssert.ETag(response));
    }

    [Fact]
    public async Task A_write_with_the_current_tag_is_done_and_has_the_new_tag()
    {
        await using var app = await StartAsync();
        var id = await database.AddOrderAsync();
        using var response = await PutAsync(app, id, "\"v1\"");
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.OK);
        Assert.Equal("\"v2\"", HttpAssert.ETag(response));
        Assert.Equal("second", (await database.FindAsync(id))!.Name);
    }

    [Fact]
    public async Task A_stale_tag_is_refused_with_the_current_one()
    {
        await using var app = await StartAsync();
        var id = await database.AddOrderAsync();
        await database.RenameAsync(id, "other");
        using var response = await PutAsync(app, id, "\"v1\"");
        var problem = await HttpAssert.IsProblemAsync(response, HttpStatusCode.PreconditionFailed, "precondition-failed");
        Assert.Equal("\"v2\"", HttpAssert.ETag(response));
        Assert.Equal("\"v2\"", problem.GetProperty("currentETag").GetString());
        Assert.Null(response.Headers.RetryAfter);
        Assert.Equal("other", (await database.FindAsync(id))!.Name);
    }

    [Fact]
    public async Task A_write_without_a_precondition_is_refused()
    {
        await using var app = await StartAsync();
        var id = await database.AddOrderAsync();
        using var response = await app.SendAsync(HttpMethod.Put, $"/orders/{id}", Input);
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.PreconditionRequired, "precondition-required");
        Assert.Equal("first", (await database.FindAsync(id))!.Name);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("\"v1")]
    [InlineData("\"v1\" \"v2\"")]
    [InlineData("\"v1\", *")]
    [InlineData("")]
    public async Task A_malformed_header_is_refused(string header)
    {
        await using var app = await StartAsync();
        var id = await database.AddOrderAsync();
        using var response = await PutAsync(app, id, header);
        await HttpAssert.IsProblemAsync(response, HttpStatusCode.BadRequest, "malformed-header");
    }

    [Theory]
    [InlineData("W/\"v1\"", HttpStatusCode.PreconditionFailed)]
    [InlineData("w/\"v1\"", HttpStatusCode.PreconditionFailed)]
    [InlineData("W/\"v1\", \"v7\"", HttpStatusCode.PreconditionFailed)]
    [InlineData("\"v01\"", HttpStatusCode.PreconditionFailed)]
    [InlineData("\"V1\"", HttpStatusCode.PreconditionFailed)]
    [InlineData("\"1\"", HttpStatusCode.PreconditionFailed)]
    [InlineData("\"v7\", \"v1\"", HttpStatusCode.OK)]
    [InlineData("*", HttpStatusCode.OK)]
    public async Task Weak_and_foreign_tags_never_match_and_one_of_a_list_does(string header, HttpStatusCode expected)
    {
        await using var app = await StartAsync();
        var id = await database.AddOrderAsync();
        using var response = await PutAsync(app, id, header);
        await HttpAssert.IsStatusAsync(response, expected);
        Assert.Equal(expected == HttpStatusCode.OK ? "second" : "first", (await database.FindAsync(id))!.Name);
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found_rather_than_not_matching()
    {
        await using var app = await StartAsync();
        using var response = await PutAsync(app, database.NewId(), "\"v1\"");
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.NotFound);
        Assert.Null(HttpAssert.ETag(response));
    }

    [Theory]
    [InlineData("\"v1\"", HttpStatusCode.NotModified)]
    [InlineData("W/\"v1\"", HttpStatusCode.NotModified)]
    [InlineData("\"v0\", \"v1\"", HttpStatusCode.NotModified)]
    [InlineData("*", HttpStatusCode.NotModified)]
    [InlineData("\"v2\"", HttpStatusCode.OK)]
    public async Task A_read_of_what_the_client_has_is_not_sent_again(string header, HttpStatusCode expected)
    {
        await using var app = await StartAsync();
        var id = await database.AddOrderAsync();
        using var response = await app.SendAsync(HttpMethod.Get, $"/orders/{id}", body: null, ("If-None-Match", header));
        await HttpAssert.IsStatusAsync(response, expected);
        Assert.Equal("\"v1\"", HttpAssert.ETag(response));
        Assert.Equal(expected == HttpStatusCode.NotModified, (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length == 0);
    }

    [Fact]
    public async Task Creating_what_exists_is_refused_with_its_tag()
    {
        await using var app = await StartAsync();
        var id = database.NewId();
        using var first = await app.SendAsync(HttpMethod.Put, $"/orders/{id}/upsert", Input, ("If-None-Match", "*"));
        await HttpAssert.IsStatusAsync(first, HttpStatusCode.OK);
        Assert.Equal("\"v1\"", HttpAssert.ETag(first));

        using var again = await app.SendAsync(HttpMethod.Put, $"/orders/{id}/upsert", Input, ("If-None-Match", "*"));
        await HttpAssert.IsProblemAsync(again, HttpStatusCode.PreconditionFailed, "precondition-failed");
        Assert.Equal("\"v1\"", HttpAssert.ETag(again));

        using var replaced = await app.SendAsync(HttpMethod.Put, $"/orders/{id}/upsert", new OrderInput("third"), ("If-Match", "\"v1\""));
        await HttpAssert.IsStatusAsync(replaced, HttpStatusCode.OK);
        using var neither = await app.SendAsync(HttpMethod.Put, $"/orders/{id}/upsert", Input);
        await HttpAssert.IsProblemAsync(neither, HttpStatusCode.PreconditionRequired, "precondition-required");
    }

    [Fact]
    public async Task A_precondition_that_the_handler_ignores_is_an_error()
    {
        await using var app = await StartAsync();
        using var response = await app.SendAsync(HttpMethod.Put, "/orders/1/forgetful", body: null, ("If-Match", "\"v1\""));
        await HttpAssert.IsStatusAsync(response, HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task Preconditions_need_no_exception_handler()
    {
        await using var app = await StartAsync(isBare: true);
        var id = await database.AddOrderAsync();
        using var stale = await PutAsync(app, id, "\"v9\"");
        await HttpAssert.IsProblemAsync(stale, HttpStatusCode.PreconditionFailed, "precondition-failed");
        Assert.Equal("\"v1\"", HttpAssert.ETag(stale));
    }

    protected static Task<HttpResponseMessage> PutAsync(TestApp app, int id, string ifMatch, string path = "")
        => app.SendAsync(HttpMethod.Put, $"/orders/{id}{path}", Input, ("If-Match", ifMatch));

    protected Task<TestApp> StartAsync(bool isBare = false)
        => isMvc
            ? TestApp.StartAsync(database.ConnectionString, app => app.MapControllers(), TestApp.Controllers(typeof(OrdersController)), isBare)
            : TestApp.StartAsync(database.ConnectionString, OrderEndpoints.Map, isBare: isBare);
}
