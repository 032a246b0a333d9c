using System.Diagnostics;
using System.Reflection;

namespace EfConcurrency.Ops.Tests.Support;

/// <summary>What a process left.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Everything that it said on stdout.</param>
/// <param name="Error">Everything that it said on stderr.</param>
internal sealed record Run(int ExitCode, string Output, string Error)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Where a program was built together with these tests.</summary>
    public static string PathOf(string program) => typeof(Run).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == program).Value!;

    /// <summary>Runs a program to its end, with nothing to read.</summary>
    public static async Task<Run> ToEndAsync(ProcessStartInfo start, string? input = null)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        using var process = Process.Start(start)!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var error = process.StandardError.ReadToEndAsync(deadline.Token);
            await process.StandardInput.WriteAsync(input.AsMemory(), deadline.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(deadline.Token);
            return new(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    public override string ToString() => $"exit {ExitCode}{Environment.NewLine}{Output}{Error}";
}
