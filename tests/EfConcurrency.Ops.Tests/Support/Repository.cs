namespace EfConcurrency.Ops.Tests.Support;

/// <summary>The files that are handed to operators, as they are on disk.</summary>
internal static class Repository
{
    public const string Rules = "ops/prometheus/efconcurrency.rules.yaml";
    public const string RuleTests = "ops/prometheus/tests";
    public const string Dashboard = "ops/grafana/efconcurrency.json";
    public const string Runbooks = "docs/runbooks";
    public const string Telemetry = "docs/telemetry.md";

    private static string Root { get; } = FindRoot();

    public static string PathOf(string file) => Path.Combine(Root, file);

    public static string Read(string file) => File.ReadAllText(PathOf(file));

    /// <summary>Names of the files of a folder, without their extension.</summary>
    public static string[] Names(string folder, string pattern)
        => [.. Directory.EnumerateFiles(PathOf(folder), pattern).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EfConcurrency.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"EfConcurrency.sln was not found above {AppContext.BaseDirectory}.");
    }
}
