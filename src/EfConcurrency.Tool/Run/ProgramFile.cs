using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Run;

/// <summary>Finds a command as a shell does: by PATH alone, unless there is a slash in its name. (.NET would also look beside efc and in the current directory.)</summary>
internal static class ProgramFile
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <exception cref="EfcException">There is none, or it can't be executed.</exception>
    public static string Find(string command)
    {
        var candidates = command.Contains('/', StringComparison.Ordinal) ? [command]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder.Length == 0 ? "." : folder, command)).ToArray();
        return candidates.FirstOrDefault(CanExecute)
            ?? throw (candidates.FirstOrDefault(f => File.Exists(f) || Directory.Exists(f)) is { } found
                ? new EfcException(ExitCode.NotExecutable, $"{found} can't be executed: it is a folder, or lacks the right.")
                : new EfcException(ExitCode.CommandNotFound, $"{command}: there is no such command."));
    }

    private static bool CanExecute(string file) => !OperatingSystem.IsWindows() && File.Exists(file) && (File.GetUnixFileMode(file) & Executable) != 0;
}
