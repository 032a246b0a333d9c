using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>EF-internal API (EF1001) stays behind three doors, each with its reason on it.</summary>
public sealed partial class EfInternalApiTests
{
    private static readonly string[] Doors = ["WriteEnvelope", "QueryPipeline", "Migrations"];

    [Fact]
    public void EF_internal_API_is_used_in_three_rooms_and_with_a_reason()
        => Habit.Holds(
            $"EF1001 is turned off only in {string.Join(", ", Doors)}, on the first line of a file: #pragma warning disable EF1001 // the reason",
            SourceTree.Paths().Where(p => Path.GetExtension(p) is ".cs" or ".csproj" or ".props" or ".targets" or ".editorconfig" or ".globalconfig")
                .Where(p => !p.StartsWith("tests/", StringComparison.Ordinal))
                .Select(SourceTree.Read)
                .SelectMany(Violations));

    [Theory]
    [InlineData("src/EfConcurrency/WriteEnvelope/X.cs", "#pragma warning disable EF1001 // The base class of the batch is internal.\n", 0)]
    [InlineData("src/EfConcurrency/WriteEnvelope/X.cs", "#pragma warning disable EF1001\n", 1)]
    [InlineData("src/EfConcurrency/WriteEnvelope/X.cs", "#pragma warning disable EF1001 // needed\n", 1)]
    [InlineData("src/EfConcurrency/WriteEnvelope/X.cs", "using System;\n#pragma warning disable EF1001 // The base class of the batch is internal.\n", 1)]
    [InlineData("src/EfConcurrency/Versioning/X.cs", "#pragma warning disable EF1001 // The base class of the batch is internal.\n", 1)]
    [InlineData("src/EfConcurrency/EfConcurrency.csproj", "<NoWarn>EF1001</NoWarn>", 1)]
    [InlineData("src/EfConcurrency/Versioning/X.cs", "namespace X;\n", 0)]
    public void A_hidden_door_is_found(string path, string text, int violations) => Assert.Equal(violations, Violations(new(path, text)).Count());

    private static IEnumerable<string> Violations(SourceFile file)
    {
        if (!file.Text.Contains("EF1001", StringComparison.Ordinal) || (file.Extension == ".props" && OnlyInComment().IsMatch(file.Text)))
        {
            return [];
        }

        return !Doors.Contains(file.Room)
            ? [$"{file.Path}: not one of the rooms that may"]
            : FirstLine().IsMatch(file.Text) && file.Text.Split("EF1001").Length == 2 ? [] : [$"{file.Path}: not on the first line, or without a reason"];
    }

    [GeneratedRegex(@"\A\uFEFF?#pragma warning disable EF1001 // \S.{19,}")]
    private static partial Regex FirstLine();

    [GeneratedRegex(@"\A((?!EF1001|<!--).)*(<!--((?!-->).)*-->((?!EF1001|<!--).)*)*\z", RegexOptions.Singleline)]
    private static partial Regex OnlyInComment();
}
