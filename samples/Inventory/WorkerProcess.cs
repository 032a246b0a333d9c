using System.Diagnostics;
using EfConcurrency.Testing;

namespace Inventory;

/// <summary>A worker as a process of its own, seen from its parent.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    /// <summary>The connection string goes through the environment: a command line is seen by everyone on the machine.</summary>
    public const string ConnectionVariable = "INVENTORY_CONNECTION";

    private readonly Process _process;
    private readonly Task _reading;
    private readonly Dictionary<string, TaskCompletionSource> _awaited = ((string[])[SaleWorker.Ready, SaleWorker.HasPicked, SaleWorker.HasWritten])
        .ToDictionary(a => a, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private WorkerProcess(Process process, Action<string> onLine)
    {
        _process = process;
        _reading = ReadAsync(onLine);
    }

    public int ExitCode => _process.ExitCode;

    /// <param name="name">What the worker calls itself.</param>
    /// <param name="isLocked">With locks, or the naive way.</param>
    /// <param name="fate">What will be done to it.</param>
    /// <param name="connectionString">The database.</param>
    /// <param name="onLine">Gets what it says.</param>
    public static WorkerProcess Start(string name, bool isLocked, WorkerFate fate, string connectionString, Action<string> onLine)
    {
        var program = Environment.ProcessPath!;
        string[] arguments = ["worker", name, isLocked ? "locked" : "naive", fate.ToString()];
        var start = Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? new ProcessStartInfo(program, [typeof(WorkerProcess).Assembly.Location, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.Environment[ConnectionVariable] = connectionString;
        return new(Process.Start(start)!, onLine);
    }

    /// <summary>Lets a worker that is ready begin.</summary>
    public void Begin() => _process.StandardInput.Close();

    /// <summary>Returns when the worker has said a line that starts so.</summary>
    public Task UntilAsync(string start, CancellationToken cancellationToken) => _awaited[start].Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);

    public Task FreezeAsync(CancellationToken cancellationToken) => _process.PauseAsync(cancellationToken);

    public Task WakeAsync(CancellationToken cancellationToken) => _process.ContinueAsync(cancellationToken);

    public Task KillAsync(CancellationToken cancellationToken) => _process.KillAsync(cancellationToken);

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await _process.KillAsync();
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(Action<string> onLine)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            onLine(line);
            foreach (var (_, heard) in _awaited.Where(a => line.StartsWith(a.Key, StringComparison.Ordinal)))
            {
                heard.TrySetResult();
            }
        }

        foreach (var (start, heard) in _awaited)
        {
            heard.TrySetException(new InvalidOperationException($"The worker ended without saying '{start}'."));
        }
    }
}
