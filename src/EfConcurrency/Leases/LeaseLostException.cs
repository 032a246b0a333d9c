using EfConcurrency.Resilience;

namespace EfConcurrency.Leases;

/// <summary>A lease was used that this process no longer holds. Stop the work that it protects.</summary>
public sealed class LeaseLostException : InvalidOperationException, IFinalRefusal
{
    internal LeaseLostException(string name, long fencingToken, LeaseLoss reason)
        : base(
            $"Lease '{name}' (fencing token {fencingToken}) is no longer held: "
            + reason switch
            {
                LeaseLoss.Released => "it was released.",
                LeaseLoss.TakenOver => "another has acquired it, or it was forced free.",
                _ => "its time was over before a renewal came through.",
            }
            + " Stop the work that it protects; to go on, acquire it again and read what you need again.")
    {
        Name = name;
        FencingToken = fencingToken;
        Reason = reason;
    }

    /// <summary>Name of the lease.</summary>
    public string Name { get; }

    /// <summary>The token under which it was held.</summary>
    public long FencingToken { get; }

    /// <summary>How it was lost.</summary>
    public LeaseLoss Reason { get; }
}
