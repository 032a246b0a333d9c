using EfConcurrency.Tool.Locks;

namespace EfConcurrency.Tool.Top;

/// <summary>A session that waits, without those that wait for it.</summary>
internal sealed record WaitRow(int Pid, string? Application, string WaitsFor, double? Seconds, string? Statement)
{
    public static WaitRow Of(TreeNode node) => new(node.Pid, node.Application, node.Lock ?? node.WaitsFor!, node.Seconds, node.Statement);
}
