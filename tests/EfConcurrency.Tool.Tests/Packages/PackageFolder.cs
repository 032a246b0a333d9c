using System.Diagnostics;
using System.Reflection;

namespace EfConcurrency.Tool.Tests.Packages;

/// <summary>All packages, packed from what was built with these tests, and efc installed from its package; in a temporary folder and from no other feed.</summary>
public sealed class PackageFolder : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("efc-packages-").FullName;

    /// <summary>Where the projects stand that are packed.</summary>
    public static string Sources { get; } = typeof(PackageFolder).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "src").Value!;

    public string Packages => Path.Combine(_folder, "packages");

    /// <summary>The program that <c>dotnet tool install</c> has put there.</summary>
    public string Efc => Path.Combine(_folder, "tools", "efc");

    public async ValueTask InitializeAsync()
    {
        // One run for all projects: each start of MSBuild costs more than a package.
        var configuration = typeof(PackageFolder).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var project = Path.Combine(_folder, "pack.proj");
        await File.WriteAllTextAsync(project, $"""
            <Project>
              <ItemGroup>
                <Packable Include="{Sources}/*/*.csproj" />
              </ItemGroup>
              <Target Name="Pack">
                <MSBuild Projects="@(Packable)" Targets="Pack"
                         Properties="NoBuild=true;Configuration={configuration};PackageOutputPath={Packages}/;NuspecOutputPath={_folder}/nuspec/;PublishDir={_folder}/publish/" />
              </Target>
            </Project>
            """);
        await DotnetAsync("msbuild", project, "-target:Pack", "-nologo", "-verbosity:quiet", "-maxcpucount:1", "-nodeReuse:false");
        await DotnetAsync("tool", "install", "EfConcurrency.Tool", "--tool-path", Path.GetDirectoryName(Efc)!, "--source", Packages, "--prerelease");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static async Task DotnetAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Sources, RedirectStandardOutput = true, RedirectStandardError = true };

        // "dotnet test" sets some for the MSBuild that it is.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        using var process = Process.Start(start)!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(3));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var error = process.StandardError.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: exit {process.ExitCode}{Environment.NewLine}{await output}{await error}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
