using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace EfConcurrency.RabbitMQ;

/// <summary>
/// A message that crossed the end of its channel. The broker closes a channel over one message; what the client wrote for that channel after it had agreed is to the broker
/// an error of the whole connection: 504, expected 'channel.open' (https://www.rabbitmq.com/docs/channels#error-handling). Nothing is wrong with the broker, nor with the address.
/// </summary>
internal static class CrossedPublish
{
    private const ushort ChannelError = 504;
    private const ushort BasicClass = 60;

    public static bool Is(Exception? failure) => failure is OperationInterruptedException { ShutdownReason: { } reason } && Is(reason);

    public static bool Is(ShutdownEventArgs reason) => reason is { ReplyCode: ChannelError, ClassId: BasicClass };
}
