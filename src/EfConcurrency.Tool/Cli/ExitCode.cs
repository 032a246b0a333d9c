namespace EfConcurrency.Tool.Cli;

/// <summary>What scripts may rely on. Documented in the tool's README; a number keeps its meaning.</summary>
internal static class ExitCode
{
    /// <summary>Done; of a question: all is well.</summary>
    public const int Ok = 0;

    /// <summary>Something needs attention.</summary>
    public const int Findings = 1;

    /// <summary>The command line makes no sense, or a confirmation is missing. Nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>The server can't be reached or used: wrong connection string, down, too old.</summary>
    public const int NoConnection = 3;

    /// <summary>There is no such lock, lease, message or key.</summary>
    public const int NotFound = 4;

    /// <summary>It changed between looking and acting. Nothing was done.</summary>
    public const int Changed = 5;

    /// <summary>The role lacks a grant.</summary>
    public const int NoPermission = 6;

    /// <summary>A table is missing, or is not that of this version.</summary>
    public const int NoTable = 7;

    /// <summary>The tool itself failed.</summary>
    public const int Defect = 70;

    /// <summary><c>run</c>: another holds the lease, or is at the slot. <c>--conflict-exit-code</c> changes it.</summary>
    public const int Conflict = 75;

    /// <summary><c>run</c>: the lease or the slot was lost while the command ran.</summary>
    public const int LeaseLost = 76;

    /// <summary><c>run</c>: the command was found and can't be executed, as shells say it.</summary>
    public const int NotExecutable = 126;

    /// <summary><c>run</c>: there is no such command, as shells say it.</summary>
    public const int CommandNotFound = 127;

    /// <summary>Interrupted (SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by a signal, as shells say it.</summary>
    public static int OfSignal(int signal) => 128 + signal;
}
