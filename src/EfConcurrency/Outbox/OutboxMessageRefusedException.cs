using System.Globalization;

namespace EfConcurrency.Outbox;

/// <summary>A message can't be enqueued. Nothing was added to the outbox.</summary>
public sealed class OutboxMessageRefusedException : InvalidOperationException
{
    internal OutboxMessageRefusedException(OutboxRefusal reason, Type messageType, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Reason = reason;
        MessageType = messageType;
    }

    /// <summary>Why.</summary>
    public OutboxRefusal Reason { get; }

    /// <summary>CLR type of the message.</summary>
    public Type MessageType { get; }

    internal static OutboxMessageRefusedException NotRegistered(Type type)
        => new(
            OutboxRefusal.TypeNotRegistered,
            type,
            $"'{type.Name}' has no contract, so consumers would not know it. Name it: UseEfConcurrency(o => o.UseMessages(m => m.Add<{type.Name}>(\"name.v1\"))). "
            + "A contract is of one exact type; a derived type needs its own.");

    internal static OutboxMessageRefusedException NotSerializable(Type type, string contract, Exception? exception)
        => new(
            OutboxRefusal.NotSerializable,
            type,
            $"Message '{contract}' of {type.Name} can't be serialised: {exception?.Message ?? "the serializer returned null."} Make a plain record of what consumers need.",
            exception);

    internal static OutboxMessageRefusedException TooLarge(Type type, string contract, int bytes, int limit)
        => new(
            OutboxRefusal.PayloadTooLarge,
            type,
            string.Create(CultureInfo.InvariantCulture, $"Message '{contract}' has a payload of {bytes:N0} bytes; the limit is {limit:N0}. Put the content into a table or a store of objects and its address into the message, ")
            + "or raise the limit: UseEfConcurrency(o => o.UseOutbox(x => x.MaxPayloadBytes = …)).");

    internal static OutboxMessageRefusedException Key(Type type, string contract, string problem)
        => new(OutboxRefusal.InvalidKey, type, $"Message '{contract}': the key {problem} Use the id of what the message is about, or null for no order.");

    internal static OutboxMessageRefusedException Header(Type type, string contract, string problem)
        => new(OutboxRefusal.InvalidHeader, type, $"Message '{contract}': {problem}");

    internal static OutboxMessageRefusedException Delay(Type type, string contract, TimeSpan delay, TimeSpan limit)
        => new(OutboxRefusal.InvalidDelay, type, string.Create(CultureInfo.InvariantCulture, $"Message '{contract}': a delay of {delay} is not between zero and {limit.TotalDays} days."));
}
