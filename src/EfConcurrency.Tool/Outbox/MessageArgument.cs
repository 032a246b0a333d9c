using System.CommandLine;
using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Outbox;

/// <summary>Which message.</summary>
internal static class MessageArgument
{
    public static Argument<Guid> Create() => new("message-id") { Description = "Id of the message (header ce-id)." };

    /// <summary>For verbs that can also take messages by time.</summary>
    public static Argument<Guid?> CreateOptional() => new("message-id") { Description = "Id of the message (header ce-id).", Arity = ArgumentArity.ZeroOrOne };

    public static EfcException Unknown(Guid id) => new(
        ExitCode.NotFound,
        $"There is no message {id}: it was never committed, or it was delivered and has left the log (after one to two days). 'efc outbox list --dead --waiting' shows what waits.");
}
