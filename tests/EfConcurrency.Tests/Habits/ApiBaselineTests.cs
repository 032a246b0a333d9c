using System.Reflection;

namespace EfConcurrency.Tests.Habits;

/// <summary>
/// The public API is what stands in the committed baseline. On a developer's machine a change rewrites the file, so that it is seen in the
/// diff and committed with the code; in CI it only fails.
/// </summary>
public sealed class ApiBaselineTests
{
    private const int Shown = 20;

    [Theory]
    [InlineData("EfConcurrency")]
    [InlineData("EfConcurrency.Testing")]
    [InlineData("EfConcurrency.RabbitMQ")]
    [InlineData("EfConcurrency.AspNetCore")]
    [InlineData("EfConcurrency.OpenTelemetry")]
    public void The_public_API_is_the_committed_one(string assembly)
    {
        var file = $"tests/EfConcurrency.Tests/PublicApi/{assembly}.txt";
        var path = SourceTree.PathOf(file);
        var committed = File.Exists(path) ? File.ReadAllText(path) : "";
        var actual = ApiText.Of(Assembly.Load(assembly));
        var rewrite = committed != actual && Environment.GetEnvironmentVariable("CI") != "true";
        if (rewrite)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Habit.Holds(
            rewrite ? $"The public API of {assembly} changed. {file} was rewritten: read its diff, and commit it if the change is meant." : $"{file} is not the public API of {assembly}. Run this test without CI=true and commit the file.",
            committed == actual ? [] : Differences(committed, actual));
    }

    [Fact]
    public void A_change_is_told_by_its_lines()
        => Assert.Equal(["- class A: int X { get; }", "+ class A: long X { get; }"], Differences("class A\n    int X { get; }\n", "class A\n    long X { get; }\n"));

    [Fact]
    public void Signatures_are_told_apart_in_full()
    {
        var text = ApiText.Of([typeof(Planted<>), typeof(PlantedKind)]);
        Assert.Equal(
            """
            enum EfConcurrency.Tests.Habits.ApiBaselineTests.PlantedKind : long
                First = 0
                Second = 5

            abstract class EfConcurrency.Tests.Habits.ApiBaselineTests.Planted<T> : System.IDisposable where T : class, new()
                System.Collections.Generic.IReadOnlyList<T> Items { get; init; }
                abstract System.Threading.Tasks.Task SaveAsync(int? count, System.Threading.CancellationToken cancellationToken = default)
                const string Name = "x"
                protected Planted(EfConcurrency.Tests.Habits.ApiBaselineTests.PlantedKind kind = EfConcurrency.Tests.Habits.ApiBaselineTests.PlantedKind.Second)
                string Text { get; protected set; }
                virtual TValue Find<TValue>(out bool found, params string[] names) where TValue : struct
                void Dispose()

            """.ReplaceLineEndings("\n"),
            text);
    }

    private static List<string> Differences(string committed, string actual)
    {
        var before = Lines(committed);
        var after = Lines(actual);
        var all = before.Except(after).Select(l => "- " + l).Concat(after.Except(before).Select(l => "+ " + l)).ToList();
        return all.Count > Shown ? [.. all.Take(Shown), $"… and {all.Count - Shown} more"] : all.Count == 0 ? ["the order of lines"] : all;
    }

    /// <summary>Each line with the type it belongs to.</summary>
    private static List<string> Lines(string text)
    {
        var type = "";
        var lines = new List<string>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            type = line[0] == ' ' ? type : line.Split(" : ")[0];
            lines.Add(line[0] == ' ' ? $"{type}: {line.Trim()}" : line);
        }

        return lines;
    }

    public enum PlantedKind : long
    {
        First,
        Second = 5,
    }

    public abstract class Planted<T> : IDisposable
        where T : class, new()
    {
        public const string Name = "x";

        protected Planted(PlantedKind kind = PlantedKind.Second) => Text = kind.ToString();

        public string Text { get; protected set; }

        public IReadOnlyList<T> Items { get; init; } = [];

        public virtual TValue Find<TValue>(out bool found, params string[] names)
            where TValue : struct
        {
            found = names.Length > 0;
            return default;
        }

        public abstract Task SaveAsync(int? count, CancellationToken cancellationToken = default);

        public void Dispose() => GC.SuppressFinalize(this);

        internal static void Hidden()
        {
        }
    }
}
