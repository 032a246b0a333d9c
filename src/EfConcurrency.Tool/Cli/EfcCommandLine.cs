using System.CommandLine;
using EfConcurrency.Tool.Leases;

namespace EfConcurrency.Tool.Cli;

/// <summary>All verbs.</summary>
internal static class EfcCommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            await Console.Error.WriteLineAsync($"efc: {string.Join(' ', parsed.Errors.Select(e => e.Message).Distinct())} 'efc --help' lists the verbs.");
            return ExitCode.Usage;
        }

        return await parsed.InvokeAsync();
    }

    private static RootCommand Root() => new("What operators ask a database that uses EfConcurrency.")
    {
        GlobalOptions.Connection,
        GlobalOptions.Schema,
        GlobalOptions.Output,
        GlobalOptions.NoColor,
        new Command("leases", "Leases: who works on what, and since when.") { new LeasesListVerb(), new LeasesBreakVerb() },
    };
}
