using EfConcurrency.AdvisoryLocks;

namespace EfConcurrency.Tests.AdvisoryLocks;

public sealed class BlockingTreeTests
{
    [Fact]
    public void A_long_queue_stands_below_its_holder_and_each_session_once()
    {
        // Who waits in a queue is blocked by the holder and by everybody before it, says pg_blocking_pids.
        var rows = Enumerable.Range(1, 60).Select(i => Row(i, [.. Enumerable.Range(1, i - 1)])).ToList();
        var root = Assert.Single(BlockingRow.Tree(rows, _ => null));
        Assert.Equal(1, root.Session.ProcessId);
        Assert.Equal(Enumerable.Range(2, 59), root.Blocks.Select(b => b.Session.ProcessId));
        Assert.All(root.Blocks, b => Assert.Empty(b.Blocks));
    }

    [Fact]
    public void A_chain_is_followed()
    {
        var roots = BlockingRow.Tree([Row(1, 2), Row(2, 3), Row(3), Row(4)], _ => null);
        Assert.Equal([3, 4], roots.Select(r => r.Session.ProcessId));
        Assert.Equal(1, roots[0].Blocks.Single().Blocks.Single().Session.ProcessId);
    }

    [Fact]
    public void A_circle_is_shown_and_ends()
    {
        var root = Assert.Single(BlockingRow.Tree([Row(1, 2), Row(2, 1), Row(3, 2)], _ => null));
        Assert.Equal([1, 2, 3], ((BlockedSession[])[root, root.Blocks.Single(), root.Blocks.Single().Blocks.Single()]).Select(n => n.Session.ProcessId));
    }

    [Fact]
    public void A_node_says_what_it_waits_for_by_name()
    {
        var blocked = Row(1, 2) with { LockType = "advisory", Key = AdvisoryKey.Of(1, -2) };
        var root = Assert.Single(BlockingRow.Tree([blocked, Row(2)], k => k.IsPair ? "pair" : null));
        var node = Assert.Single(root.Blocks);
        Assert.Equal(("advisory (1, -2)", "pair"), (node.WaitsFor, node.Name));
        Assert.Null(root.WaitsFor);
    }

    private static BlockingRow Row(int processId, params int[] blockers)
        => new(new(processId, null, null, null, null, null, null, null), blockers.Length == 0 ? null : "relation", null, null, null, blockers);
}
