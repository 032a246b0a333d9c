using System.ComponentModel;

namespace EfConcurrency.Ops.Tests.Support;

/// <summary>Prometheus' own checker. Without it these tests fail: nothing of what they look at is checked otherwise.</summary>
internal static class Promtool
{
    public static Task<Run> CheckRulesAsync(string file) => RunAsync(null, "check", "rules", file);

    public static Task<Run> TestRulesAsync(string file) => RunAsync(null, "test", "rules", file);

    /// <summary>Also tells what is not named as Prometheus' conventions want it: exit 3.</summary>
    public static Task<Run> CheckMetricsAsync(string scrape) => RunAsync(scrape, "check", "metrics");

    private static async Task<Run> RunAsync(string? input, params string[] arguments)
    {
        try
        {
            return await Run.ToEndAsync(new("promtool", arguments), input);
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException("promtool is not on PATH. It comes with Prometheus (Debian: apt-get install prometheus; test.sh does that, and starts no server).", missing);
        }
    }
}
