namespace EfConcurrency.RabbitMQ;

/// <summary>Ids of log events: 61000 to 61099 are this package's. Append only.</summary>
internal static class RabbitMqEventIds
{
    public const int Connected = 61000;
    public const int ConnectionLost = 61001;
    public const int ConnectFailed = 61002;
    public const int ChannelClosed = 61003;
    public const int MessageRefused = 61004;
    public const int ConsumerStarted = 61010;
    public const int ConsumerFailed = 61011;
    public const int MessageFailed = 61012;
    public const int MessageDead = 61013;
    public const int DeadLetterNotPublished = 61014;
    public const int HandlersStillRunning = 61015;
    public const int DatabaseUnavailable = 61016;
}
