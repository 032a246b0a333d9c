using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace EfConcurrency.Tests.Habits;

/// <summary>Time comes from the database or from a <see cref="TimeProvider"/>; nothing sleeps.</summary>
public sealed partial class BannedTimeTests
{
    private static readonly string[] Banned =
    [
        "P:System.DateTime.Now",
        "P:System.DateTime.UtcNow",
        "P:System.DateTimeOffset.Now",
        "P:System.DateTimeOffset.UtcNow",
        "M:System.Threading.Thread.Sleep(System.Int32)",
        "M:System.Threading.Thread.Sleep(System.TimeSpan)",
    ];

    [Fact]
    public void The_machines_clock_is_not_asked_and_nothing_sleeps()
        => Habit.Holds(
            "src/EfConcurrency asks the database clock or a TimeProvider, and waits with Task.Delay(…, timeProvider, token).",
            SourceTree.CSharp("src/EfConcurrency").SelectMany(Calls));

    [Fact]
    public void The_analyser_of_banned_symbols_is_on()
    {
        var symbols = SourceTree.Read("src/BannedSymbols.txt").Text.Split('\n').Select(l => l.Split(';')[0].Trim());
        Habit.Holds("BannedSymbols.txt bans the machine's clock and sleeping.", Banned.Except(symbols).Select(s => $"src/BannedSymbols.txt: {s} is missing"));
        Habit.Holds("src/Directory.Build.props applies BannedSymbols.txt.", NotApplied(SourceTree.Read("src/Directory.Build.props").Text));
        Habit.Holds(
            "RS0030 (banned symbol) is not turned off.",
            SourceTree.Paths().Where(p => p == ".editorconfig" || (p.StartsWith("src/", StringComparison.Ordinal) && Path.GetExtension(p) is ".cs" or ".csproj" or ".props" or ".editorconfig"))
                .Where(p => SourceTree.Read(p).Text.Contains("RS0030", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("var now = DateTime.UtcNow;", 1)]
    [InlineData("var now = System.DateTimeOffset.Now.AddDays(1);", 1)]
    [InlineData("var today = DateTime.Today;", 1)]
    [InlineData("Thread.Sleep(5);", 1)]
    [InlineData("await Task.Delay(pause, cancellationToken);", 1)]
    [InlineData("await Task.Delay(Pause(a, b));", 1)]
    [InlineData("await Task.Delay(Pause(a, b), timeProvider, cancellationToken);", 0)]
    [InlineData("await Task.Delay(pause, _time, cancellationToken);", 0)]
    [InlineData("// DateTime.UtcNow\nthrow new(\"Not Thread.Sleep(1)\");", 0)]
    [InlineData("var now = timeProvider.GetUtcNow();", 0)]
    public void A_banned_call_is_found(string code, int calls) => Assert.Equal(calls, Calls(new("src/EfConcurrency/Leases/X.cs", code)).Count());

    [Theory]
    [InlineData("<Project />", 2)]
    [InlineData("<Project><ItemGroup><PackageReference Include=\"Microsoft.CodeAnalysis.BannedApiAnalyzers\" /></ItemGroup></Project>", 1)]
    public void A_missing_analyser_is_found(string props, int violations) => Assert.Equal(violations, NotApplied(props).Count());

    private static IEnumerable<string> Calls(SourceFile file)
    {
        var code = CSharpText.Of(file.Text).Code;
        return Clock().Matches(code)
            .Concat(Delay().Matches(code).Where(m => !Provider().IsMatch(m.Value)))
            .Select(m => $"{file.Path}({1 + code.AsSpan(0, m.Index).Count('\n')}): {m.Value}");
    }

    private static IEnumerable<string> NotApplied(string props)
    {
        var items = XDocument.Parse(props).Descendants().Select(e => (e.Name.LocalName, Include: (string?)e.Attribute("Include") ?? "")).ToList();
        if (!items.Contains(("PackageReference", "Microsoft.CodeAnalysis.BannedApiAnalyzers")))
        {
            yield return "no reference to Microsoft.CodeAnalysis.BannedApiAnalyzers";
        }

        if (!items.Any(i => i.LocalName == "AdditionalFiles" && i.Include.EndsWith("BannedSymbols.txt", StringComparison.Ordinal)))
        {
            yield return "BannedSymbols.txt is not among the AdditionalFiles";
        }
    }

    [GeneratedRegex(@"\bDateTime(Offset)?\s*\.\s*((Utc)?Now|Today)\b|\bThread\s*\.\s*Sleep\b")]
    private static partial Regex Clock();

    [GeneratedRegex(@"\bTask\s*\.\s*Delay\s*\((?>[^()]+|(?<open>\()|(?<-open>\)))*(?(open)(?!))\)")]
    private static partial Regex Delay();

    [GeneratedRegex(@",\s*([\w.]*[tT]imeProvider(\.\w+)?|_?time|_?clock|\w+\.(Time|Clock))\s*[,)]")]
    private static partial Regex Provider();
}
