using System.Diagnostics;
using EfConcurrency.Testing;
using Payments.Server;

namespace Payments.Storm;

/// <summary>A web server as a process of its own, seen from its parent. Killed, it is started again on the same port.</summary>
internal sealed class ServerProcess(string connectionString, Action<string> onLine) : IAsyncDisposable
{
    private const string Listening = "listening ";

    private Process? _process;
    private Task _reading = Task.CompletedTask;

    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var program = Environment.ProcessPath!;
        string[] arguments = ["server", Address.GetLeftPart(UriPartial.Authority)];
        var start = Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? new ProcessStartInfo(program, [typeof(ServerProcess).Assembly.Location, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.RedirectStandardOutput = true;

        // Through the environment: a command line is seen by everyone on the machine.
        start.Environment[PaymentsServer.ConnectionVariable] = connectionString;
        _process = Process.Start(start)!;
        _reading = ReadAsync(_process, listening);
        Address = new(await listening.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken));
    }

    /// <summary>SIGKILL, in the middle of whatever it does.</summary>
    public async Task KillAndStartAgainAsync(CancellationToken cancellationToken)
    {
        await _process!.KillAsync(cancellationToken);
        await EndAsync();
        await StartAsync(cancellationToken);
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

    private async Task ReadAsync(Process process, TaskCompletionSource<string> listening)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(Listening, StringComparison.Ordinal))
            {
                listening.TrySetResult(line[Listening.Length..]);
            }
            else
            {
                onLine(line);
            }
        }

        listening.TrySetException(new InvalidOperationException("A server ended before it was listening."));
    }
}
