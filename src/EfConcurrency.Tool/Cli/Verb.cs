using System.CommandLine;

namespace EfConcurrency.Tool.Cli;

/// <summary>A verb that asks the database something.</summary>
internal abstract class Verb : Command
{
    protected Verb(string name, string description)
        : base(name, description)
        => SetAction(RunSafelyAsync);

    /// <returns>One of <see cref="ExitCode"/>.</returns>
    protected abstract Task<int> RunAsync(Session session, CancellationToken cancellationToken);

    private async Task<int> RunSafelyAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var screen = Screen.For(arguments);
        try
        {
            await using var session = new Session(arguments, screen);
            return await RunAsync(session, cancellationToken);
        }
        catch (Exception exception)
        {
            var (exitCode, message) = Failure.Of(exception, arguments.GetValue(GlobalOptions.Schema)!);
            screen.Error(message);
            return exitCode;
        }
    }
}
