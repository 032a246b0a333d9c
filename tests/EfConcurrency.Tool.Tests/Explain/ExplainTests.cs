using System.Reflection;
using System.Text.Json;
using EfConcurrency.Tool.Tests.Support;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Tool.Tests.Explain;

public sealed class ExplainTests
{
    private static readonly Assembly[] Packages = [Assembly.Load("EfConcurrency"), Assembly.Load("EfConcurrency.AspNetCore"), Assembly.Load("EfConcurrency.RabbitMQ")];

    /// <summary>An event or an exception that is added needs its entry in src/EfConcurrency.Tool/Explain/*.json.</summary>
    [Fact]
    public async Task Every_event_and_every_exception_of_the_packages_is_explained_as_it_is()
    {
        var all = (await Efc.RunAsync(null, "explain", "-o", "json")).Expect(0).Json.EnumerateArray().ToList();

        var logged = from type in Packages.SelectMany(a => a.GetTypes())
                     from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                     from attribute in method.GetCustomAttributes<LoggerMessageAttribute>()
                     orderby attribute.EventId
                     select $"{attribute.EventId} {attribute.EventName} {attribute.Level} {attribute.Message}";
        Assert.Equal(logged, all.Where(e => Text(e, "kind") == "event").Select(e => $"{e.GetProperty("id").GetInt32()} {Text(e, "name")} {Text(e, "level")} {Text(e, "message")}"));

        var thrown = Packages.SelectMany(a => a.GetExportedTypes()).Where(t => typeof(Exception).IsAssignableFrom(t)).Select(t => t.Name).Order(StringComparer.Ordinal);
        Assert.Equal(thrown, all.Where(e => Text(e, "kind") == "exception").Select(e => Text(e, "name")));

        Assert.All(all, e =>
        {
            Assert.NotEqual("", Text(e, "meaning"));
            Assert.True(Text(e, "see") is { } page && File.Exists(Path.Combine(Root(), page)), $"{Text(e, "name")}: {Text(e, "see")}");
        });
    }

    [Fact]
    public async Task Every_runbook_is_explained()
    {
        var folder = Path.Combine(Root(), "docs", "runbooks");
        var runbooks = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.md").Select(Path.GetFileNameWithoutExtension).Where(n => n != "README").Order(StringComparer.Ordinal).ToList() : [];
        var all = (await Efc.RunAsync(null, "explain", "-o", "json")).Expect(0).Json.EnumerateArray().Where(e => Text(e, "kind") == "alert").Select(e => Text(e, "name"));
        Assert.Equal(runbooks, all);
    }

    [Theory]
    [InlineData("60200", "EfConcurrency.Fencing.FencingTokenRejected")]
    [InlineData("LeaseLost", "EfConcurrency.Leases.LeaseLost")]
    [InlineData("versionconflictexception", "docs/patterns/versioning.md")]
    [InlineData("75", "slot is taken")]
    public async Task One_thing_is_explained_by_number_or_name(string asked, string expected)
        => Assert.Contains(expected, (await Efc.RunAsync(null, "explain", asked)).Expect(0).Output, StringComparison.Ordinal);

    [Fact]
    public async Task What_nobody_knows_gets_the_nearest_names()
        => Assert.Contains("LeaseLost", (await Efc.RunAsync(null, "explain", "LeasLost")).Expect(4).OneError(), StringComparison.Ordinal);

    private static string? Text(JsonElement element, string property) => element.TryGetProperty(property, out var value) ? value.GetString() : null;

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "EfConcurrency.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
