using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bank.Worker;
using EfConcurrency.Testing;

namespace Bank.Storm;

/// <summary>A worker, seen from its parent.</summary>
internal sealed class WorkerProcess : IDisposable
{
    /// <summary>The connection string goes through the environment: a command line is seen by everyone on the machine.</summary>
    public const string ConnectionVariable = "BANK_CONNECTION";

    private readonly Process _process;
    private readonly Task _reading;

    private WorkerProcess(Process process)
    {
        _process = process;
        _reading = ReadAsync();
    }

    public WorkerReport? Report { get; private set; }

    public static WorkerProcess Start(int number, StormMode mode, StormSettings settings, string connectionString)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        }

        foreach (var argument in (string[])["worker", "--mode", mode.ToString(), "--scale", Text(settings.Scale), "--seconds", Text(settings.Seconds), "--seed", Text((settings.Seed * 1000) + number)])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[ConnectionVariable] = connectionString;
        return new(Process.Start(start)!);
    }

    public void Kill() => _process.Kill();

    public Task PauseAsync() => _process.PauseAsync();

    public Task ContinueAsync() => _process.ContinueAsync();

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _reading;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            try
            {
                Report = JsonSerializer.Deserialize<WorkerReport>(line);
            }
            catch (JsonException)
            {
                // Half a line: it was killed while it wrote.
            }
        }
    }
}
