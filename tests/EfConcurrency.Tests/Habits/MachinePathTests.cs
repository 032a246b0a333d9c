using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>The repository stands on its own: it names no folder of a machine it was written on, and no notes beside it.</summary>
public sealed partial class MachinePathTests
{
    private static readonly string[] Binary = [".png", ".jpg", ".gif", ".ico", ".snk", ".pfx", ".zip", ".gz", ".nupkg", ".cast", ".pdf"];

    [Fact]
    public void No_file_names_a_folder_of_somebodys_machine()
        => Habit.Holds(
            "No text file names a home, a temporary folder or notes outside of the repository.",
            SourceTree.Paths().Where(p => !Binary.Contains(Path.GetExtension(p))).Select(SourceTree.Read).SelectMany(Mentions));

    [Theory]
    [InlineData("see {0}root/x.txt", 1)]
    [InlineData("cd {0}work/project", 1)]
    [InlineData("cd {0}home/ann/project", 1)]
    [InlineData("open {0}Users/ann/project", 1)]
    [InlineData("write {0}tmp/x.log", 1)]
    [InlineData("as in ..{0}shared{0}notes.md", 1)]
    [InlineData("as in shared{0}facts", 1)]
    [InlineData("mktemp -d", 0)]
    [InlineData("docs/roots/a.md and networks/work.md", 0)]
    [InlineData("https://example.org{0}work{0}x", 0)]
    public void A_machines_folder_is_found(string text, int mentions)
        => Assert.Equal(mentions, Mentions(new("x.md", text.Replace("{0}", "/", StringComparison.Ordinal))).Count());

    private static IEnumerable<string> Mentions(SourceFile file)
        => from match in Machine().Matches(file.Text)
           select $"{file.Path}({1 + file.Text.AsSpan(0, match.Index).Count('\n')}): {match.Value}";

    [GeneratedRegex(@"(?<![\w.~}-])/(root|work)/|(?<![\w.}-])/(home|Users)/\w+|(?<![\w.}-])/tmp/\w|\.\./shared\b|\bshared/(facts|prototype|DESIGN|STYLE)\b")]
    private static partial Regex Machine();
}
