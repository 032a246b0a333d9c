using System.Net;
using System.Text.Json;

namespace EfConcurrency.AspNetCore.Tests.Support;

/// <summary>What a response must be.</summary>
internal static class HttpAssert
{
    public static async Task<JsonElement> IsProblemAsync(HttpResponseMessage response, HttpStatusCode status, string name)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal("urn:efconcurrency:problem:" + name, problem.GetProperty("type").GetString());
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        return problem;
    }

    public static async Task IsStatusAsync(HttpResponseMessage response, HttpStatusCode status)
        => Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");

    public static string? ETag(HttpResponseMessage response) => response.Headers.ETag?.ToString();
}
