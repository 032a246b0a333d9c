using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>What a page names, is there. Decisions and the changelog tell of the past and are left out.</summary>
public sealed partial class PageNameTests
{
    /// <summary>Names of other products that no code here uses.</summary>
    private static readonly string[] OfOthers =
    [
        "AddPooledDbContextFactory", "FromSql", // EF Core
        "AddOpenTelemetry", "WithMetrics", "WithTracing", // OpenTelemetry.Extensions.Hosting
        "UnderscoreEscapingWithSuffixes", // Prometheus
        "FullyQualifiedName", // dotnet test
    ];

    /// <summary>What examples make up.</summary>
    private static readonly string[] OfExamples = ["Ship", "XLog", "XSql"];

    private static readonly HashSet<string> Known =
    [
        .. SourceTree.CSharp("src", "tests", "samples", "benchmarks").SelectMany(f => Words(CSharpText.Of(f.Text).Code)),
        .. SourceTree.Paths().Where(p => p.EndsWith(".csproj", StringComparison.Ordinal)).SelectMany(p => Words(SourceTree.Read(p).Text)),
        .. SourceTree.Paths().SelectMany(Words), // folders, and pages of alerts
    ];

    [Fact]
    public void Names_on_pages_are_in_the_code()
        => Habit.Holds(
            "A name between backticks, or a method that an example calls, is in the code. Rename it on the page too; PageNameTests lists names of others.",
            Pages().SelectMany(p => Unknown(p.Text).Except(OfOthers).Except(OfExamples).Select(n => $"{p.Path}: {n}")));

    [Fact]
    public void The_exceptions_are_still_needed()
        => Habit.Holds("What PageNameTests excuses is on a page and not in the code.", OfOthers.Concat(OfExamples).Except(Pages().SelectMany(p => Unknown(p.Text))));

    [Theory]
    [InlineData("`HasVersion` and `db.Leases().TryAcquireAsync(name)`", 0)]
    [InlineData("`HasWersion`", 1)]
    [InlineData("HasWersion, in prose", 0)]
    [InlineData("`If-Match`, `EnsureCreated`", 0)]
    [InlineData("`--max-dead`, `efc.lease`, `SELECT 1`", 0)]
    [InlineData("```csharp\nvar mine = new Mine(); // .Gone()\nmodelBuilder.HasLeases();\n```\n", 0)]
    [InlineData("```csharp\nmodelBuilder.HasLeasings();\n```\n", 1)]
    [InlineData("```csharp\nmodelBuilder.HasLeasings<Order>();\n```\n", 1)]
    [InlineData("```sql\nselect x.Gone();\n```\n", 0)]
    public void A_name_that_is_gone_is_found(string text, int violations) => Assert.Equal(violations, Unknown(text).Count());

    private static IEnumerable<SourceFile> Pages()
        => SourceTree.Paths()
            .Where(p => p.EndsWith(".md", StringComparison.Ordinal) && p != "CHANGELOG.md" && !p.StartsWith("docs/decisions/", StringComparison.Ordinal))
            .Select(SourceTree.Read);

    /// <summary>The code may have the method with Async alone, of EF's pairs.</summary>
    private static IEnumerable<string> Unknown(string page)
    {
        var text = MarkdownText.Of(page);
        return text.Code.SelectMany(Words).Concat(text.Examples.SelectMany(e => Call().Matches(e)).Select(m => m.Groups[1].Value))
            .Where(n => !Known.Contains(n) && !Known.Contains(n + "Async"))
            .Distinct();
    }

    /// <summary>Words in PascalCase; those of a header (If-Match) are none.</summary>
    private static IEnumerable<string> Words(string text) => Word().Matches(text).Select(m => m.Value);

    [GeneratedRegex(@"(?<![\w-])[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*(?![\w-])")]
    private static partial Regex Word();

    [GeneratedRegex(@"\.([A-Z]\w*)(?:<[\w<>, ]+>)?\(")]
    private static partial Regex Call();
}
