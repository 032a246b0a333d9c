using System.Runtime.InteropServices;

namespace EfConcurrency.Tool.Run;

/// <summary>What .NET does not offer of signals and process groups. https://pubs.opengroup.org/onlinepubs/9799919799/functions/kill.html</summary>
internal static class Posix
{
    public const int Hangup = 1;
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Terminate = 15;

    private const string Terminal = "/dev/tty";

    /// <summary>Whether this process leads its process group.</summary>
    public static bool LeadsGroup => GetProcessGroup() == Environment.ProcessId;

    /// <summary>Whether there is a terminal whose Ctrl+C this process would get.</summary>
    public static bool HasTerminal
    {
        get
        {
            using var terminal = OpenTerminal();
            return terminal is not null;
        }
    }

    /// <summary>Whether what is typed at the terminal, Ctrl+C too, goes to this process's group.</summary>
    public static bool IsInForeground
    {
        get
        {
            using var terminal = OpenTerminal();
            return terminal is not null && GetForegroundGroup((int)terminal.DangerousGetHandle()) == GetProcessGroup();
        }
    }

    /// <summary>Makes a process group of its own, which everything that is started later belongs to; whether that was possible.</summary>
    public static bool MakeGroup() => SetProcessGroup(0, 0) == 0;

    /// <summary>To one process, or with 0 to this process's whole group.</summary>
    public static void Send(int process, int signal) => _ = Kill(process, signal);

    private static Microsoft.Win32.SafeHandles.SafeFileHandle? OpenTerminal()
    {
        try
        {
            return File.OpenHandle(Terminal, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    [DllImport("libc", EntryPoint = "getpgrp")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetProcessGroup();

    [DllImport("libc", EntryPoint = "setpgid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetProcessGroup(int process, int group);

    [DllImport("libc", EntryPoint = "tcgetpgrp")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetForegroundGroup(int terminal);
}
