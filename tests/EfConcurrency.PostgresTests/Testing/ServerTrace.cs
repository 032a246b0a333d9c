using System.Diagnostics;
using System.Globalization;
using EfConcurrency.Testing;

namespace EfConcurrency.PostgresTests.Testing;

/// <summary>What a server of ours has on the machine: its data, and its main process.</summary>
internal sealed record ServerTrace(string Data, int Pid)
{
    /// <summary>Whether the process runs; one that has ended and was not yet collected does not.</summary>
    public bool Runs => File.Exists($"/proc/{Pid}/stat") && !File.ReadAllText($"/proc/{Pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    public static async Task<ServerTrace> OfAsync(string connectionString, CancellationToken cancellationToken)
    {
        var data = (await PostgresQuery.ScalarAsync<string>(connectionString, "show data_directory", [], cancellationToken))!;
        return new(data, int.Parse((await File.ReadAllLinesAsync(Path.Combine(data, "postmaster.pid"), cancellationToken))[0], CultureInfo.InvariantCulture));
    }

    public async Task GoneAsync(CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(Data);
        var started = Stopwatch.GetTimestamp();
        while (Directory.Exists(folder) || Runs)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20), $"still there: {folder}, server runs: {Runs}");
            await Task.Delay(20, cancellationToken);
        }
    }
}
