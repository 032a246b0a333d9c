using System.IO.Compression;
using System.Xml.Linq;

namespace EfConcurrency.Tool.Tests.Packages;

/// <summary>What is in a .nupkg.</summary>
internal sealed class Package
{
    private readonly XElement _metadata;

    private Package(ZipArchive archive, string name)
    {
        Files = [.. archive.Entries.Select(e => e.FullName)];
        Readme = Read(archive, "README.md");
        var nuspec = XDocument.Parse(Read(archive, name + ".nuspec"));
        Namespace = nuspec.Root!.Name.Namespace;
        _metadata = nuspec.Root.Element(Namespace + "metadata")!;
    }

    public IReadOnlyList<string> Files { get; }

    public string Readme { get; }

    public string? PackageType => _metadata.Descendants(Namespace + "packageType").SingleOrDefault()?.Attribute("name")!.Value;

    public IReadOnlyDictionary<string, string> Dependencies
        => _metadata.Descendants(Namespace + "dependency").ToDictionary(d => d.Attribute("id")!.Value, d => d.Attribute("version")!.Value);

    private XNamespace Namespace { get; }

    public string? this[string element] => _metadata.Element(Namespace + element)?.Value;

    public static Package Open(string folder, string name)
    {
        using var archive = ZipFile.OpenRead(PathOf(folder, name, ".nupkg"));
        return new(archive, name);
    }

    /// <summary>What is in the package's .snupkg.</summary>
    public static IReadOnlyList<string> Symbols(string folder, string name)
    {
        using var archive = ZipFile.OpenRead(PathOf(folder, name, ".snupkg"));
        return [.. archive.Entries.Select(e => e.FullName)];
    }

    private static string PathOf(string folder, string name, string extension) => Directory.GetFiles(folder, name + ".*" + extension).Single(f => char.IsAsciiDigit(Path.GetFileName(f)[name.Length + 1]));

    private static string Read(ZipArchive archive, string entry)
    {
        using var reader = new StreamReader(archive.GetEntry(entry)!.Open());
        return reader.ReadToEnd();
    }
}
