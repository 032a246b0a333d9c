using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Fencing;

/// <summary>Log messages of the room.</summary>
internal static partial class FencingLog
{
    public const string Category = "EfConcurrency.Fencing";

    [LoggerMessage(
        EventIds.FencingTokenRejected, LogLevel.Warning,
        "A write was refused: fencing token {Token} of {Resource} is stale, the current one is {CurrentToken} (held by {CurrentHolder}).",
        EventName = Category + ".FencingTokenRejected")]
    public static partial void TokenRejected(ILogger logger, string resource, long? token, long? currentToken, string? currentHolder);
}
