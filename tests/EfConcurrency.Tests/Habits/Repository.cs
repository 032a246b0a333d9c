namespace EfConcurrency.Tests.Habits;

/// <summary>The files of the repository.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>Source files below a folder, by their path from the root.</summary>
    public static IEnumerable<(string Path, string Text)> Sources(string folder, string pattern = "*.cs")
        => Directory.Exists(Path.Combine(Root, folder))
            ? Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/'))
                .Where(f => !f.Split('/').Any(part => part is "bin" or "obj" or "artifacts" or ".git"))
                .Order(StringComparer.Ordinal)
                .Select(f => (f, File.ReadAllText(Path.Combine(Root, f))))
            : [];

    /// <summary>The room of a file in src/EfConcurrency, or null outside of a room.</summary>
    public static string? RoomOf(string path) => path.Split('/') is ["src", "EfConcurrency", var room, _, ..] ? room : null;

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "EfConcurrency.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("EfConcurrency.sln was not found above the tests.");
        }

        return folder;
    }
}
