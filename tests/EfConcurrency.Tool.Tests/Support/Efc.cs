using System.Diagnostics;
using System.Reflection;

namespace EfConcurrency.Tool.Tests.Support;

/// <summary>Runs the tool as people and scripts do: as a process. Whatever it says, the password is not in it.</summary>
internal static class Efc
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>The program that was built with these tests.</summary>
    public static string Program { get; } = typeof(Efc).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "efc").Value!;

    /// <summary>Runs it piped.</summary>
    /// <param name="connectionString">Passed in EFC_CONNECTION; null: none.</param>
    /// <param name="arguments">Verb and options.</param>
    public static Task<EfcResult> RunAsync(string? connectionString, params string[] arguments) => RunProgramAsync(Program, connectionString, arguments);

    /// <summary>Runs one that stands elsewhere.</summary>
    public static async Task<EfcResult> RunProgramAsync(string program, string? connectionString, params string[] arguments)
    {
        using var process = Start(connectionString, wallClock: null, arguments, program);
        process.StandardInput.Close();
        return await EndAsync(process);
    }

    /// <summary>Starts it piped, for tests that do something meanwhile.</summary>
    public static Process Start(string? connectionString, params string[] arguments) => Start(connectionString, wallClock: null, arguments);

    /// <param name="connectionString">Passed in EFC_CONNECTION; null: none.</param>
    /// <param name="wallClock">An offset for the tool's wall clock, as faketime (a package of that name) takes it; null for the true time.</param>
    /// <param name="arguments">Verb and options.</param>
    /// <param name="program">Null: <see cref="Program"/>.</param>
    public static Process Start(string? connectionString, string? wallClock, string[] arguments, string? program = null)
    {
        // The jobs in the background of a shell ignore SIGINT, those under nohup SIGHUP, and so would all that such tests start.
        var start = new ProcessStartInfo("env", ["--default-signal", program ?? Program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal) || k is "EFC_CONNECTION" or "NO_COLOR").ToList())
        {
            start.Environment.Remove(name);
        }

        if (connectionString is not null)
        {
            start.Environment["EFC_CONNECTION"] = connectionString;
        }

        if (wallClock is not null)
        {
            start.Environment["LD_PRELOAD"] = Directory.GetDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).First(File.Exists);
            start.Environment["FAKETIME"] = wallClock;
        }

        return Process.Start(start)!;
    }

    /// <summary>Waits until it has ended by itself.</summary>
    public static async Task<EfcResult> EndAsync(Process process)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var error = process.StandardError.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            return Checked(new(process.ExitCode, await output, await error));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static EfcResult Checked(EfcResult result)
    {
        Assert.DoesNotContain(ToolDatabase.Password, result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(ToolDatabase.Password, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Output);
        Assert.DoesNotContain('\u001b', result.Error);
        return result;
    }
}
