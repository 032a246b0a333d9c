using System.Diagnostics;
using System.Reflection;
using EfConcurrency.Testing;

namespace EfConcurrency.PostgresTests.Support;

/// <summary>A process of a program in tests/hosts.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private readonly List<string> _lines = [];
    private readonly Task _reading;

    private HostProcess(Process process)
    {
        Process = process;
        _reading = ReadAsync();
    }

    public Process Process { get; }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <param name="program">Its folder's name.</param>
    /// <param name="connectionString">The database.</param>
    /// <param name="wallClock">An offset for the process's wall clock, as faketime (a package of that name) takes it; null for the true time.</param>
    /// <param name="arguments">Its arguments.</param>
    public static HostProcess Start(string program, string connectionString, string? wallClock, params string[] arguments)
    {
        var path = typeof(HostProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == program).Value!;
        var start = new ProcessStartInfo(path, arguments);
        if (wallClock is not null)
        {
            // What the program faketime does, without a process in between that signals would go to.
            start.Environment["LD_PRELOAD"] = Directory.GetDirectories("/usr/lib")
                .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
                ?? throw new InvalidOperationException("faketime is not installed (Debian: apt-get install faketime; test.sh does that).");
            start.Environment["FAKETIME"] = wallClock;
        }

        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment["HOST_CONNECTION"] = connectionString;
        return new(Process.Start(start)!);
    }

    /// <summary>Runs one that ends by itself.</summary>
    public static async Task RunAsync(string program, string connectionString, params string[] arguments)
    {
        await using var host = Start(program, connectionString, null, arguments);
        await host.EndAsync();
        Assert.True(host.Process.ExitCode == 0, string.Join(Environment.NewLine, host.Lines));
    }

    /// <summary>Ends its input, and waits until it has ended.</summary>
    public async Task EndAsync()
    {
        Process.StandardInput.Close();
        await WaitAsync();
    }

    /// <param name="seconds">How long it may take.</param>
    public async Task WaitAsync(int seconds = 60)
    {
        await Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
        await _reading;
    }

    /// <summary>Returns when it has said a line that starts so.</summary>
    public async Task<string> UntilSaysAsync(string start)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        while (true)
        {
            if (Lines.FirstOrDefault(l => l.StartsWith(start, StringComparison.Ordinal)) is { } line)
            {
                return line;
            }

            await Task.Delay(10, deadline.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
        {
            await Process.KillAsync();
        }

        await _reading;
        Process.Dispose();
    }

    private Task ReadAsync() => Task.WhenAll(ReadAsync(Process.StandardOutput), ReadAsync(Process.StandardError));

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lines)
            {
                _lines.Add(line);
            }
        }
    }
}
