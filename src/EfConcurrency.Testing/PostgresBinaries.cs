namespace EfConcurrency.Testing;

/// <summary>Finds a PostgreSQL installation: PATH, then the places where packages put it, newest version first.</summary>
internal static class PostgresBinaries
{
    private static readonly string[] VersionedRoots = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"];

    private static readonly string[] PlainFolders = ["/usr/local/pgsql/bin", "/usr/bin", "/usr/local/bin"];

    /// <summary>The folder that holds initdb and postgres, or null. Where these are links it is the one they lead to: the other programs need not be linked.</summary>
    public static string? Find(string? path = null)
        => Folders(path)
            .Where(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")))
            .Select(folder => Path.GetDirectoryName(File.ResolveLinkTarget(Path.Combine(folder, "postgres"), returnFinalTarget: true)?.FullName) ?? folder)
            .FirstOrDefault();

    private static IEnumerable<string> Folders(string? path)
        => (path ?? Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(VersionedRoots.Where(Directory.Exists).SelectMany(Versions))
            .Concat(PlainFolders);

    private static IEnumerable<string> Versions(string root)
        => Directory.EnumerateDirectories(root)
            .OrderByDescending(folder => double.TryParse(Path.GetFileName(folder).Replace("postgresql@", "", StringComparison.Ordinal), out var version) ? version : -1)
            .Select(folder => Path.Combine(folder, "bin"));
}
