using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>What is looked for in the text of files. Each rule is a function, so that each is seen to find something.</summary>
public sealed partial class FileHabitTests
{
    private const int LongestFile = 400;
    private const int LongestSource = 250;

    private static readonly string[] Folders = ["src", "tests", "samples", "benchmarks"];

    [Fact]
    public void No_file_is_longer_than_400_lines()
        => Assert.Empty(Folders.SelectMany(f => Repository.Sources(f)).Where(f => Lines(f.Text) > LongestFile).Select(f => f.Path));

    [Fact]
    public void No_source_file_is_longer_than_250_lines()
        => Assert.Empty(Repository.Sources("src").Where(f => Lines(f.Text) > LongestSource).Select(f => $"{f.Path}: {Lines(f.Text)}"));

    [Fact]
    public void SQL_stands_in_the_rooms_Sql_file_and_nowhere_else()
        => Assert.Empty(Repository.Sources("src/EfConcurrency").Where(f => !f.Path.EndsWith("Sql.cs", StringComparison.Ordinal)).SelectMany(f => Sql(f.Text).Select(s => $"{f.Path}: {s}")));

    [Theory]
    [InlineData("var s = \"select 1 from t\";", true)]
    [InlineData("var s = $\"update {table} set x = 1\";", true)]
    [InlineData("var s = \"\"\"\n   insert into t values (1)\n\"\"\";", true)]
    [InlineData("var s = \"/* efconcurrency room.name */ …\";", true)]
    [InlineData("throw new Exception(\"Update the row, or select another.\");", false)]
    [InlineData("throw new Exception(\"With a transaction per save a unit saves once\");", false)]
    public void SQL_in_a_string_is_told_from_prose(string code, bool isSql) => Assert.Equal(isSql, Sql(code).Any());

    [Fact]
    public void Statements_that_are_sent_name_their_room()
        => Assert.Empty(
            from file in Repository.Sources("src/EfConcurrency").Where(f => f.Path.EndsWith("Sql.cs", StringComparison.Ordinal))
            let room = Repository.RoomOf(file.Path)!
            from match in Comment().Matches(file.Text)
            let name = match.Groups[1].Value
            where !room.EndsWith(name, StringComparison.OrdinalIgnoreCase)
            select $"{file.Path}: a statement of room {room} is named {name}");

    [Fact]
    public void The_clock_of_the_machine_is_not_asked()
        => Assert.Empty(Repository.Sources("src/EfConcurrency").SelectMany(f => Banned(f.Text).Select(b => $"{f.Path}: {b}")));

    [Fact]
    public void A_banned_call_is_found()
    {
        Assert.NotEmpty(Banned("var now = DateTime.UtcNow;"));
        Assert.NotEmpty(Banned("Thread.Sleep(5);"));
        Assert.Empty(Banned("await Task.Delay(pause, time, token);"));
    }

    [Fact]
    public void The_analyser_of_banned_symbols_is_on_in_src()
    {
        var props = File.ReadAllText(Path.Combine(Repository.Root, "src/Directory.Build.props"));
        Assert.Contains("BannedApiAnalyzers", props, StringComparison.Ordinal);
        Assert.Contains("BannedSymbols.txt", props, StringComparison.Ordinal);
        Assert.Contains("DateTimeOffset.UtcNow", File.ReadAllText(Path.Combine(Repository.Root, "src/BannedSymbols.txt")), StringComparison.Ordinal);
    }

    [Fact]
    public void EF_internal_API_is_used_in_three_rooms_only_and_with_a_reason()
        => Assert.Empty(
            from file in Repository.Sources("src")
            where file.Text.Contains("EF1001", StringComparison.Ordinal)
            where Repository.RoomOf(file.Path) is not ("WriteEnvelope" or "QueryPipeline" or "Migrations") || !Pragma().IsMatch(file.Text)
            select file.Path);

    [Fact]
    public void Nothing_names_a_folder_of_somebodys_machine()
        => Assert.Empty(
            from file in Folders.Append("docs").Append("scripts").SelectMany(f => Repository.Sources(f, "*.*"))
            where MachinePath().IsMatch(file.Text) && !file.Path.EndsWith("FileHabitTests.cs", StringComparison.Ordinal)
            select file.Path);

    [Fact]
    public void Scripts_run_and_stop_at_the_first_error()
        => Assert.Empty(
            from path in Directory.EnumerateFiles(Repository.Root, "*.sh").Append(Path.Combine(Repository.Root, ".ci/run"))
            let text = File.ReadAllText(path)
            where !text.StartsWith("#!/usr/bin/env bash\n", StringComparison.Ordinal)
                || !text.Contains("set -euo pipefail", StringComparison.Ordinal)
                || (!OperatingSystem.IsWindows() && !File.GetUnixFileMode(path).HasFlag(UnixFileMode.UserExecute))
            select path);

    private static int Lines(string text) => text.AsSpan().Count('\n');

    private static IEnumerable<string> Sql(string code) => SqlLiteral().Matches(code).Select(m => m.Value);

    private static IEnumerable<string> Banned(string code) => BannedCall().Matches(code).Select(m => m.Value);

    [GeneratedRegex("""\$*"+\s*(/\* efconcurrency|select [\w*(]+.*(from|\()|insert into \S+|update \S+ set |delete from \S+|create (table|schema|or replace|function|index)|drop (table|schema|function|index)|with \w+ as \()""", RegexOptions.IgnoreCase)]
    private static partial Regex SqlLiteral();

    [GeneratedRegex(@"/\* efconcurrency (\w+)\.[\w-]+ \*/")]
    private static partial Regex Comment();

    [GeneratedRegex(@"DateTime(Offset)?\.(Utc)?Now\b|Thread\.Sleep\(")]
    private static partial Regex BannedCall();

    [GeneratedRegex(@"\A#pragma warning disable EF1001 // \w.{20,}")]
    private static partial Regex Pragma();

    [GeneratedRegex(@"/(root|work|home/\w+)/|/tmp/[a-z]")]
    private static partial Regex MachinePath();
}
