namespace EfConcurrency.Tests.Habits;

/// <summary>A text file of the repository, by its path from the root.</summary>
internal sealed record SourceFile(string Path, string Text)
{
    public string Name => System.IO.Path.GetFileName(Path);

    public string Extension => System.IO.Path.GetExtension(Path);

    /// <summary>The first folder below <c>src/EfConcurrency</c>; null for files that stand in none.</summary>
    public string? Room => Path.Split('/') is ["src", "EfConcurrency", var room, _, ..] ? room : null;

    public int Lines => Text.Length == 0 ? 0 : Text.AsSpan().Count('\n') + (Text[^1] == '\n' ? 0 : 1);
}

/// <summary>The files of the repository as they are on disk, without what is built or ignored.</summary>
internal static class SourceTree
{
    private static readonly string[] Ignored = [".git", ".vs", ".idea", "artifacts", "bin", "obj", "TestResults"];

    public static string Root { get; } = FindRoot();

    public static string PathOf(string file) => Path.Combine(Root, file);

    public static SourceFile Read(string file) => new(file, File.ReadAllText(PathOf(file)));

    /// <summary>The C# files below the folders; a folder that does not exist holds none.</summary>
    public static IEnumerable<SourceFile> CSharp(params string[] folders)
        => Paths().Where(p => p.EndsWith(".cs", StringComparison.Ordinal) && folders.Any(f => p.StartsWith(f + "/", StringComparison.Ordinal))).Select(Read);

    public static IEnumerable<string> Paths() => Below(Root).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Below(string folder)
        => Directory.EnumerateFiles(folder).Where(f => !Ignored.Contains(Path.GetFileName(f))).Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/'))
            .Concat(Directory.EnumerateDirectories(folder).Where(d => !Ignored.Contains(Path.GetFileName(d))).SelectMany(Below));

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
