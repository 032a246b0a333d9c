using Microsoft.Extensions.Logging;

namespace EfConcurrency.AspNetCore;

/// <summary>Log messages of the package. Ids from 61100 on, append only: an id, once released, keeps its meaning.</summary>
internal static partial class AspNetCoreLog
{
    [LoggerMessage(61100, LogLevel.Debug, "The request was refused with {Status}: {Reason}", EventName = "EfConcurrency.AspNetCore.RequestRefused")]
    public static partial void RequestRefused(ILogger logger, int status, string reason);

    [LoggerMessage(61101, LogLevel.Error, "The request failed with {Status}.", EventName = "EfConcurrency.AspNetCore.RequestFailed")]
    public static partial void RequestFailed(ILogger logger, Exception exception, int status);
}
