namespace EfConcurrency.Tool.Cli;

/// <summary>Ends a verb with one line for people and a code for scripts.</summary>
internal sealed class EfcException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;
}
