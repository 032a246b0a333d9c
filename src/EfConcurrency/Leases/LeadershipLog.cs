using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Leases;

/// <summary>Log messages about leader election.</summary>
internal static partial class LeadershipLog
{
    [LoggerMessage(EventIds.LeaderElected, LogLevel.Information, "This process is elected leader of {Name} under fencing token {FencingToken}.", EventName = LeaseLog.Category + ".LeaderElected")]
    public static partial void Elected(ILogger logger, string name, long fencingToken);

    [LoggerMessage(EventIds.LeadershipEnded, LogLevel.Information, "This process leads {Name} (fencing token {FencingToken}) no longer: {Reason}.", EventName = LeaseLog.Category + ".LeadershipEnded")]
    public static partial void Ended(ILogger logger, string name, long fencingToken, string reason);

    [LoggerMessage(EventIds.NewLeader, LogLevel.Information, "The leader of {Name} is {Leader}, under fencing token {FencingToken}.", EventName = LeaseLog.Category + ".NewLeader")]
    public static partial void NewLeader(ILogger logger, string name, string? leader, long fencingToken);

    [LoggerMessage(EventIds.LeaderBodyFailed, LogLevel.Error, "The body of the leader of {Name} (fencing token {FencingToken}) failed; this process steps down and stands again.", EventName = LeaseLog.Category + ".LeaderBodyFailed")]
    public static partial void BodyFailed(ILogger logger, string name, long fencingToken, Exception exception);

    [LoggerMessage(EventIds.LeaderElectionFailed, LogLevel.Warning, "The election of {Name} could not be held; it is tried again.", EventName = LeaseLog.Category + ".LeaderElectionFailed")]
    public static partial void ElectionFailed(ILogger logger, string name, Exception exception);

    [LoggerMessage(EventIds.LeaderBodyIgnoresCancellation, LogLevel.Critical, "Leadership of {Name} was lost {Seconds} s ago, and the body still runs although it was cancelled.", EventName = LeaseLog.Category + ".LeaderBodyIgnoresCancellation")]
    public static partial void BodyIgnoresCancellation(ILogger logger, string name, double seconds);

    [LoggerMessage(EventIds.LeaderObserverFailed, LogLevel.Error, "{Observer} failed when it was told of a change of leadership in {Name}.", EventName = LeaseLog.Category + ".LeaderObserverFailed")]
    public static partial void ObserverFailed(ILogger logger, string name, string observer, Exception exception);
}
