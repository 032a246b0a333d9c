using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Locks;

/// <summary>A session of the blocking tree, as it is shown.</summary>
internal sealed record TreeNode(
    int Pid, string? Application, string? Role, string? Client, string? State, string? WaitsFor, string? Lock, double? Seconds, string? Statement, IReadOnlyList<TreeNode> Blocks)
{
    /// <summary>What a person reads: a root with how long its transaction is open and its last statement, another with what it waits for and how long.</summary>
    public string Line
    {
        get
        {
            var who = Pid == 0 ? "a prepared transaction" : $"pid {Pid} {Application}".TrimEnd();
            var duration = Human.Duration(Seconds) is { } time ? $" for {time}" : "";
            return WaitsFor is null
                ? $"{who} ({State ?? "no session"}){(Seconds is null ? "" : $", in a transaction{duration}")}{(Statement is null ? "" : $"; its statement: {Statement}")}"
                : $"{who} waits{duration} for {(Lock is null ? WaitsFor : $"{Lock} ({WaitsFor})")}";
        }
    }

    public static TreeNode Of(BlockedSession node, DateTimeOffset now) => new(
        node.Session.ProcessId,
        node.Session.ApplicationName,
        node.Session.UserName,
        node.Session.ClientAddress,
        node.Session.State,
        node.WaitsFor,
        node.Name,
        SessionText.Seconds(node.WaitsFor is null ? node.Session.TransactionStartedAt : node.Since, now),
        SessionText.Statement(node.Session),
        [.. node.Blocks.Select(b => Of(b, now))]);

    /// <summary>This one and all below it.</summary>
    public IEnumerable<TreeNode> Flatten() => Blocks.SelectMany(b => b.Flatten()).Prepend(this);

    /// <summary>Without what an application put into its statements.</summary>
    public TreeNode WithoutStatements() => this with { Statement = null, Blocks = [.. Blocks.Select(b => b.WithoutStatements())] };
}
