namespace EfConcurrency.Tests.Habits;

/// <summary>Aim at 150 lines; talk about it at 250; never above 400.</summary>
public sealed class FileSizeTests
{
    private const int Limit = 400;
    private const int LimitOfSource = 250;

    /// <summary>Files of src that may be longer than 250 lines, each with the reason in a comment.</summary>
    private static readonly string[] MayBeLonger = [];

    [Fact]
    public void Files_are_short()
        => Habit.Holds(
            $"No file is longer than {Limit} lines; none of src longer than {LimitOfSource} unless FileSizeTests says why. Split it.",
            SourceTree.CSharp("src", "tests", "samples", "benchmarks").SelectMany(TooLong));

    [Fact]
    public void The_exceptions_are_still_needed()
        => Habit.Holds("What FileSizeTests excuses is in fact long.", MayBeLonger.Where(p => !File.Exists(SourceTree.PathOf(p)) || SourceTree.Read(p).Lines <= LimitOfSource));

    [Theory]
    [InlineData("tests/X.cs", 400, false)]
    [InlineData("tests/X.cs", 401, true)]
    [InlineData("src/EfConcurrency/Outbox/X.cs", 250, false)]
    [InlineData("src/EfConcurrency/Outbox/X.cs", 251, true)]
    public void A_long_file_is_found(string path, int lines, bool isTooLong)
        => Assert.Equal(isTooLong, TooLong(new(path, string.Concat(Enumerable.Repeat("line\n", lines)))).Any());

    private static IEnumerable<string> TooLong(SourceFile file)
    {
        var limit = file.Path.StartsWith("src/", StringComparison.Ordinal) && !MayBeLonger.Contains(file.Path) ? LimitOfSource : Limit;
        return file.Lines > limit ? [$"{file.Path}: {file.Lines} lines, limit {limit}"] : [];
    }
}
