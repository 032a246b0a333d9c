using Microsoft.Extensions.Logging;

namespace EfConcurrency.Fencing;

/// <summary>Tells log and meter of a rejection, once, where its exception is made.</summary>
internal sealed class FencingReport(ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger(FencingLog.Category);

    /// <returns><paramref name="rejected"/></returns>
    public FencingTokenRejectedException Told(FencingTokenRejectedException rejected)
    {
        FencingMeter.Rejected(rejected);
        FencingLog.TokenRejected(_logger, rejected.Resource, rejected.Token, rejected.CurrentToken, rejected.CurrentHolder);
        return rejected;
    }
}
