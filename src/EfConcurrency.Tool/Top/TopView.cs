using EfConcurrency.Tool.Locks;
using EfConcurrency.Tool.Status;

namespace EfConcurrency.Tool.Top;

/// <summary>What the live view shows at a moment.</summary>
internal sealed record TopView(StatusReport Status, IReadOnlyList<TreeNode> Tree, IReadOnlyList<WaitRow> LongestWaits, IReadOnlyList<ExpiringLease> ExpiringLeases);
