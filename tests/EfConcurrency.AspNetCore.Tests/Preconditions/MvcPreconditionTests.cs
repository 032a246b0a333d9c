using EfConcurrency.AspNetCore.Tests.Support;

namespace EfConcurrency.AspNetCore.Tests.Preconditions;

/// <summary>MVC.</summary>
public sealed class MvcPreconditionTests(OrderDatabase database) : PreconditionTests(database, isMvc: true)
{
    [Fact]
    public async Task A_view_has_the_tag_of_the_named_property()
    {
        await using var app = await StartAsync();
        var id = await Database.AddOrderAsync();
        using var response = await app.SendAsync(HttpMethod.Get, $"/orders/{id}/view");
        Assert.Equal("\"v1\"", HttpAssert.ETag(response));
    }
}
