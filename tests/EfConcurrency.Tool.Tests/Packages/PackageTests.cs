using System.Reflection;
using EfConcurrency.Infrastructure;
using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Packages;

/// <summary>What is published: it can be installed, and says what it is.</summary>
public sealed class PackageTests(PackageFolder folder, ToolDatabase database) : IClassFixture<PackageFolder>, IClassFixture<ToolDatabase>
{
    /// <summary>Of the library, whose version all packages share.</summary>
    private static readonly string Version = typeof(EfConcurrencyOptionsBuilder).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    [Fact]
    public async Task Efc_is_installed_from_its_package_and_runs()
    {
        var version = (await Efc.RunProgramAsync(folder.Efc, null, "--version")).Expect(0);
        Assert.Equal((await Efc.RunAsync(null, "--version")).Output, version.Output);
        Assert.StartsWith(Version, version.Output, StringComparison.Ordinal);
        Assert.Contains("--max-clock-skew", (await Efc.RunProgramAsync(folder.Efc, null, "doctor", "--help")).Expect(0).Output, StringComparison.Ordinal);

        // With the library, EF and Npgsql, which the package carries, and with its texts.
        (await Efc.RunProgramAsync(folder.Efc, database.ConnectionString, "leases", "list")).Expect(0);
        Assert.Contains("efc leases list", (await Efc.RunProgramAsync(folder.Efc, null, "explain", "EfConcurrencyLeasesLost")).Expect(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_project_of_src_is_a_package_with_symbols()
    {
        var projects = Directory.GetFiles(PackageFolder.Sources, "*.csproj", SearchOption.AllDirectories).Select(p => $"{Path.GetFileNameWithoutExtension(p)}.{Version}");
        Assert.Equal(projects.SelectMany(p => (string[])[p + ".nupkg", p + ".snupkg"]).Order(), Directory.GetFiles(folder.Packages).Select(p => Path.GetFileName(p)).Order());
    }

    [Theory]
    [InlineData("EfConcurrency", false)]
    [InlineData("EfConcurrency.AspNetCore", true)]
    [InlineData("EfConcurrency.OpenTelemetry", true)]
    [InlineData("EfConcurrency.RabbitMQ", true)]
    [InlineData("EfConcurrency.Testing", false)]
    public void A_library_carries_its_documentation_and_needs_the_library_of_its_version(string name, bool needsLibrary)
    {
        var package = Package.Open(folder.Packages, name);
        AssertDescribed(package, name);
        Assert.StartsWith("# EfConcurrency", package.Readme, StringComparison.Ordinal);
        Assert.Equal(["dll", "xml"], package.Files.Where(f => f.StartsWith($"lib/net10.0/{name}.", StringComparison.Ordinal)).Select(f => f[^3..]).Order());
        Assert.Contains($"lib/net10.0/{name}.pdb", Package.Symbols(folder.Packages, name));
        Assert.Equal(needsLibrary ? [("EfConcurrency", Version)] : [], package.Dependencies.Where(d => d.Key.StartsWith("EfConcurrency", StringComparison.Ordinal)).Select(d => (d.Key, d.Value)));
    }

    [Fact]
    public void The_tool_has_a_page_of_its_own_and_needs_no_other_package()
    {
        var package = Package.Open(folder.Packages, "EfConcurrency.Tool");
        AssertDescribed(package, "EfConcurrency.Tool");
        Assert.StartsWith("# efc", package.Readme, StringComparison.Ordinal);
        Assert.Equal("DotnetTool", package.PackageType);
        Assert.Empty(package.Dependencies);
        Assert.Contains("tools/net10.0/any/efc.pdb", Package.Symbols(folder.Packages, "EfConcurrency.Tool"));
    }

    private static void AssertDescribed(Package package, string name)
    {
        Assert.Equal((name, Version, "MIT", "README.md"), (package["id"], package["version"], package["license"], package["readme"]));
        Assert.False(package["description"] is null or "" or "Package Description", "The project has no Description.");
        Assert.False(string.IsNullOrEmpty(package["tags"]), "The project has no PackageTags.");
    }
}
