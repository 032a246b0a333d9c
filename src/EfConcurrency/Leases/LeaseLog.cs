using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Leases;

/// <summary>Log messages about leases.</summary>
internal static partial class LeaseLog
{
    public const string Category = "EfConcurrency.Leases";

    [LoggerMessage(EventIds.LeaseAcquired, LogLevel.Debug, "Lease {Name} acquired under fencing token {FencingToken}.", EventName = Category + ".LeaseAcquired")]
    public static partial void Acquired(ILogger logger, string name, long fencingToken);

    [LoggerMessage(EventIds.LeaseLost, LogLevel.Warning, "Lease {Name} (fencing token {FencingToken}) is lost: {Reason}.", EventName = Category + ".LeaseLost")]
    public static partial void Lost(ILogger logger, string name, long fencingToken, LeaseLoss reason);

    [LoggerMessage(EventIds.LeaseNotRenewed, LogLevel.Warning, "Lease {Name} (fencing token {FencingToken}) could not be renewed; trusted for {Remaining} s more.", EventName = Category + ".LeaseNotRenewed")]
    public static partial void NotRenewed(ILogger logger, string name, long fencingToken, double remaining, Exception exception);

    [LoggerMessage(EventIds.LeaseNotReleased, LogLevel.Information, "Lease {Name} (fencing token {FencingToken}) could not be released and runs out by itself.", EventName = Category + ".LeaseNotReleased")]
    public static partial void NotReleased(ILogger logger, string name, long fencingToken, Exception exception);

    [LoggerMessage(EventIds.LeaseForced, LogLevel.Warning, "Lease {Name} was freed by force from {HeldBy}; the fencing token is now {FencingToken}.", EventName = Category + ".LeaseForced")]
    public static partial void Forced(ILogger logger, string name, long fencingToken, string? heldBy);
}
