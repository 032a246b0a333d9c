using System.Diagnostics;
using EfConcurrency.Testing;

namespace Orders.Storm;

/// <summary>A service as a process of its own, seen from its parent. Killed, it is started again.</summary>
internal sealed class ServiceProcess(string service, string connectionString, Uri broker, Action<string> onLine) : IAsyncDisposable
{
    private Process? _process;
    private Task _reading = Task.CompletedTask;

    public string Service => service;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var program = Environment.ProcessPath!;
        string[] arguments = ["service", service];
        var start = Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? new ProcessStartInfo(program, [typeof(ServiceProcess).Assembly.Location, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.RedirectStandardOutput = true;

        // Through the environment: a command line is seen by everyone on the machine.
        start.Environment[ServiceProgram.ConnectionVariable] = connectionString;
        start.Environment[ServiceProgram.BrokerVariable] = broker.ToString();
        _process = Process.Start(start)!;
        _reading = ReadAsync(_process, ready);
        await ready.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
    }

    /// <summary>SIGKILL: no time to say goodbye.</summary>
    public async Task KillAndStartAgainAsync(CancellationToken cancellationToken)
    {
        await _process!.KillAsync(cancellationToken);
        await EndAsync();
        await StartAsync(cancellationToken);
    }

    /// <summary>SIGTERM: what is at work ends, and is acknowledged. The exit code.</summary>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        await _process!.TerminateAsync(cancellationToken);
        await _process!.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await _process.KillAsync();
        }

        await EndAsync();
    }

    private async Task EndAsync()
    {
        await _reading;
        _process?.Dispose();
        _process = null;
    }

    private async Task ReadAsync(Process process, TaskCompletionSource ready)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line == "ready")
            {
                ready.TrySetResult();
            }
            else
            {
                onLine(line);
            }
        }

        ready.TrySetException(new InvalidOperationException($"The service {service} ended before it was ready."));
    }
}
