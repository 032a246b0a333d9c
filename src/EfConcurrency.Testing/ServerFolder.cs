using System.Diagnostics;
using System.Globalization;

namespace EfConcurrency.Testing;

/// <summary>
/// The folder of one throwaway server. It names the process it belongs to, so that a later start can clear away what a killed
/// process (and its killed watcher) left.
/// </summary>
internal sealed class ServerFolder
{
    private const string OwnerFile = "owner";
    private const int Attempts = 5;

    private readonly ServerKind _kind;

    private ServerFolder(ServerKind kind, string path)
    {
        _kind = kind;
        FullPath = path;
    }

    public string FullPath { get; }

    public string Data => Path.Combine(FullPath, "data");

    public string Log => Path.Combine(FullPath, "log");

    public static ServerFolder Create(ServerKind kind)
    {
        var folder = new ServerFolder(kind, Path.Combine(kind.Root, Guid.NewGuid().ToString("n")));
        Directory.CreateDirectory(folder.FullPath);
        using var self = Process.GetCurrentProcess();
        File.WriteAllText(Path.Combine(folder.FullPath, OwnerFile), Owner(self));
        return folder;
    }

    /// <summary>Stops the servers and removes the folders of processes that no longer run.</summary>
    public static void RemoveStale(ServerKind kind)
    {
        if (!Directory.Exists(kind.Root))
        {
            return;
        }

        foreach (var path in Directory.EnumerateDirectories(kind.Root))
        {
            var folder = new ServerFolder(kind, path);
            if (!folder.IsOwned())
            {
                folder.StopServers();
                folder.Remove();
            }
        }
    }

    /// <summary>Removes what it can. The name of the owner goes last: a later start finds by it what could not be removed.</summary>
    public void Remove()
    {
        for (var attempt = 0; attempt < Attempts && Directory.Exists(FullPath); attempt++)
        {
            try
            {
                if (Directory.Exists(Data))
                {
                    Directory.Delete(Data, recursive: true);
                }

                Directory.Delete(FullPath, recursive: true);
            }
            catch (IOException)
            {
                // Another process removes it at the same time, or a server that is still going down writes.
            }
        }
    }

    private static string Owner(Process process)
        => string.Create(CultureInfo.InvariantCulture, $"{process.Id} {process.StartTime.ToUniversalTime().Ticks / TimeSpan.TicksPerSecond}");

    private bool IsOwned()
    {
        var file = Path.Combine(FullPath, OwnerFile);
        if (!File.Exists(file) || File.ReadAllText(file).Split(' ') is not [var pid, var started])
        {
            // Being made or being removed by another process just now.
            return true;
        }

        try
        {
            using var process = Process.GetProcessById(int.Parse(pid, CultureInfo.InvariantCulture));
            var now = Owner(process).Split(' ')[1];
            return Math.Abs(long.Parse(now, CultureInfo.InvariantCulture) - long.Parse(started, CultureInfo.InvariantCulture)) <= 1;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private void StopServers()
    {
        foreach (var (file, program) in _kind.PidFiles)
        {
            var pidFile = Path.Combine(FullPath, file);
            if (File.Exists(pidFile) && int.TryParse(File.ReadLines(pidFile).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid))
            {
                Stop(pid, program);
            }
        }
    }

    private static void Stop(int pid, string program)
    {
        try
        {
            using var server = Process.GetProcessById(pid);
            if (server.ProcessName.StartsWith(program, StringComparison.Ordinal))
            {
                server.Kill(entireProcessTree: true);
                server.WaitForExit(TimeSpan.FromSeconds(5));
            }
        }
        catch (ArgumentException)
        {
            // It is not running any more.
        }
    }
}
