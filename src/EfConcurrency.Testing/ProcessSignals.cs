using System.Diagnostics;
using System.Globalization;

namespace EfConcurrency.Testing;

/// <summary>Faults of a whole process: paused as by a long garbage collection or a machine that hangs, ended in order, or killed. Unix only.</summary>
public static class ProcessSignals
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Stops the process where it is (<c>SIGSTOP</c>); it keeps its connections and locks.</summary>
    /// <param name="process">A running process.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when none of its threads runs any more (on Linux; elsewhere when the signal was sent).</returns>
    /// <exception cref="InvalidOperationException">The process has ended, may not be signalled by this user, or does not stop.</exception>
    public static async Task PauseAsync(this Process process, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(process);
        await SendAsync(process, "STOP", cancellationToken).ConfigureAwait(false);
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var started = TimeProvider.System.GetTimestamp();
        while (!IsStopped(process))
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                throw new InvalidOperationException($"Process {process.Id} still runs {Patience.TotalSeconds} s after SIGSTOP. Something else continued it, or it hangs in a device.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lets a paused process go on (<c>SIGCONT</c>).</summary>
    /// <param name="process">A running process.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when the signal was sent.</returns>
    /// <exception cref="InvalidOperationException">The process has ended, or may not be signalled by this user.</exception>
    public static Task ContinueAsync(this Process process, CancellationToken cancellationToken = default) => SendAsync(process, "CONT", cancellationToken);

    /// <summary>Asks the process to end (<c>SIGTERM</c>). A paused process hears it when it goes on.</summary>
    /// <param name="process">A running process.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when the signal was sent.</returns>
    /// <exception cref="InvalidOperationException">The process has ended, or may not be signalled by this user.</exception>
    public static Task TerminateAsync(this Process process, CancellationToken cancellationToken = default) => SendAsync(process, "TERM", cancellationToken);

    /// <summary>Ends the process without its leave (<c>SIGKILL</c>), also a paused one; its children go on.</summary>
    /// <param name="process">A process; one that has ended is left alone.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that ends when the process is gone.</returns>
    public static Task KillAsync(this Process process, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(process);
        process.Kill();
        return process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>By the shell, whose <c>kill</c> knows the signals by name: their numbers differ between systems, and not every image has the program.</summary>
    private static async Task SendAsync(Process process, string signal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(process);
        if (process.HasExited)
        {
            throw Ended(process);
        }

        var start = new ProcessStartInfo("sh", ["-c", "kill -s \"$1\" \"$2\"", "sh", signal, process.Id.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardError = true };
        using var kill = Process.Start(start)!;
        var error = await kill.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await kill.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        if (kill.ExitCode != 0)
        {
            throw new InvalidOperationException($"SIG{signal} did not reach process {process.Id}: {error.Trim()}");
        }
    }

    /// <summary>The signal is sent before it has effect: a thread in the middle of a system call finishes that first.</summary>
    private static bool IsStopped(Process process)
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{process.Id}/task").All(thread => State(File.ReadAllText(Path.Combine(thread, "stat"))) is 'T' or 't');
        }
        catch (IOException) when (process.HasExited)
        {
            throw Ended(process);
        }
        catch (IOException)
        {
            // A thread ended while we looked.
            return false;
        }
    }

    /// <summary>The third field; the second, a name in brackets, may hold anything (proc(5)).</summary>
    private static char State(string stat) => stat[stat.LastIndexOf(')') + 2];

    private static InvalidOperationException Ended(Process process) => new($"Process {process.Id} has ended: it cannot be signalled.");
}
