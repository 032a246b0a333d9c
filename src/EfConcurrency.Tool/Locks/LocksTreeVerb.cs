using System.CommandLine;
using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Locks;

internal sealed class LocksTreeVerb : Verb
{
    private readonly Option<bool> _watch = new("--watch", "-w") { Description = "Again and again, until q is pressed. Once when piped." };
    private readonly Option<TimeSpan> _interval = DurationOption.Of("--interval", "Pause between two looks with --watch.", "1s");

    public LocksTreeVerb()
        : base("tree", "Who waits for whom, for locks of all kinds; those who let others wait first.")
    {
        Add(_watch);
        Add(_interval);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        if (session.Arguments.GetValue(_watch) && session.Screen.IsInteractive)
        {
            await LiveView.RunAsync(
                session,
                session.Arguments.GetValue(_interval),
                async token => BlockingTree.Render(session.Screen, await BlockingTree.ReadAsync(database, token)),
                cancellationToken);
            return ExitCode.Ok;
        }

        var roots = await BlockingTree.ReadAsync(database, cancellationToken);
        session.Screen.Show(roots, () => Print(session.Screen, roots));
        return ExitCode.Ok;
    }

    private static void Print(Screen screen, IReadOnlyList<TreeNode> roots)
    {
        if (roots.Count == 0)
        {
            screen.Message(BlockingTree.None);
        }
        else
        {
            screen.Out.Write(BlockingTree.Render(screen, roots));
        }
    }
}
