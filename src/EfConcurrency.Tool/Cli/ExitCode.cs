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

    /// <summary>Interrupted (SIGINT).</summary>
    public const int Interrupted = 130;
}
