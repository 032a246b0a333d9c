using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace EfConcurrency.Tool.Locks;

/// <summary>Who waits for whom.</summary>
internal static class BlockingTree
{
    public const string None = "Nobody waits for a lock.";

    public static async Task<IReadOnlyList<TreeNode>> ReadAsync(OperatorDatabase database, CancellationToken cancellationToken)
    {
        var roots = await database.Context.GetBlockingTreeAsync(cancellationToken);
        var now = await database.ClockAsync(cancellationToken);
        return [.. roots.Select(r => TreeNode.Of(r, now))];
    }

    /// <summary>A tree on a terminal; lines that are indented when piped.</summary>
    public static IRenderable Render(Screen screen, IReadOnlyList<TreeNode> roots)
    {
        if (roots.Count == 0)
        {
            return new Text(None + "\n");
        }

        if (!screen.Out.Profile.Out.IsTerminal)
        {
            return new Text(string.Concat(roots.SelectMany(r => Lines(r, 0)).Select(l => l + "\n")));
        }

        var tree = new Tree(new Text("blocking", new Style(decoration: Decoration.Bold)));
        foreach (var root in roots)
        {
            Add(tree, root);
        }

        return tree;
    }

    private static void Add(IHasTreeNodes parent, TreeNode node)
    {
        var child = parent.AddNode(new Text(node.Line, new Style(foreground: node.WaitsFor is null ? Color.Red : Color.Yellow)));
        foreach (var blocked in node.Blocks)
        {
            Add(child, blocked);
        }
    }

    private static IEnumerable<string> Lines(TreeNode node, int depth)
        => node.Blocks.SelectMany(b => Lines(b, depth + 1)).Prepend(new string(' ', depth * 2) + node.Line);
}
