using System.Collections.Concurrent;
using System.Text;
using EfConcurrency.Messaging;

namespace EfConcurrency.Outbox;

/// <summary>Makes messages of objects: contract, serialisation, headers, lane, and all that can be wrong with them. One for all contexts with the same contracts and settings.</summary>
internal sealed class OutboxMessageFactory(MessageContracts contracts, OutboxSettings settings, TimeProvider time)
{
    public static readonly TimeSpan MaxDelay = TimeSpan.FromDays(366);

    private readonly ConcurrentDictionary<Type, (MessageContract Contract, string Headers)> _known = new();

    /// <exception cref="OutboxMessageRefusedException">The message can't be sent like this.</exception>
    public OutboxMessage Create(object message, string? key, IReadOnlyDictionary<string, string>? headers, TimeSpan delay, int lanes)
    {
        var type = message.GetType();
        var (contract, begin) = Find(type);
        CheckKey(key, type, contract);
        if (headers is not null && OutboxHeaders.Problem(headers) is { } problem)
        {
            throw OutboxMessageRefusedException.Header(type, contract.Name, problem);
        }

        if (delay < TimeSpan.Zero || delay > MaxDelay)
        {
            throw OutboxMessageRefusedException.Delay(type, contract.Name, delay, MaxDelay);
        }

        var payload = Serialize(message, type, contract);

        // The day in the id decides how long consumers remember it: for a delayed message, that of its delivery.
        var id = Guid.CreateVersion7(time.GetUtcNow() + delay);
        return new(
            contract,
            id,
            key is null ? OutboxLane.Any(lanes) : OutboxLane.Of(key, lanes),
            key,
            OutboxHeaders.Write(begin, id, key, headers, settings),
            payload,
            delay == TimeSpan.Zero ? null : (long)delay.TotalMicroseconds);
    }

    private static void CheckKey(string? key, Type type, MessageContract contract)
    {
        var problem = key switch
        {
            null => null,
            "" => "is empty.",
            _ when key.Length > OutboxLane.MaxKeyBytes || Encoding.UTF8.GetByteCount(key) > OutboxLane.MaxKeyBytes
                => $"is longer than {OutboxLane.MaxKeyBytes} octets of UTF-8.",
            _ when key.Contains('\0', StringComparison.Ordinal) || !OutboxText.IsWellFormed(key) => "has a NUL or half a surrogate pair in it, which PostgreSQL can't store.",
            _ => null,
        };
        if (problem is not null)
        {
            throw OutboxMessageRefusedException.Key(type, contract.Name, problem);
        }
    }

    private (MessageContract Contract, string Headers) Find(Type type)
    {
        if (_known.TryGetValue(type, out var known))
        {
            return known;
        }

        if (!contracts.TryFind(type, out var contract))
        {
            throw OutboxMessageRefusedException.NotRegistered(type);
        }

        return _known[type] = (contract, OutboxHeaders.Begin(contract, contracts.Serializer.ContentType, settings));
    }

    private byte[] Serialize(object message, Type type, MessageContract contract)
    {
        byte[]? payload;
        try
        {
            payload = contracts.Serializer.Serialize(message, contract);
        }
#pragma warning disable CA1031 // A serializer, or a property of the message, throws whatever it likes.
        catch (Exception exception) when (exception is not OutOfMemoryException)
#pragma warning restore CA1031
        {
            throw OutboxMessageRefusedException.NotSerializable(type, contract.Name, exception);
        }

        if (payload is null)
        {
            throw OutboxMessageRefusedException.NotSerializable(type, contract.Name, exception: null);
        }

        return payload.Length <= settings.MaxPayloadBytes ? payload : throw OutboxMessageRefusedException.TooLarge(type, contract.Name, payload.Length, settings.MaxPayloadBytes);
    }
}
