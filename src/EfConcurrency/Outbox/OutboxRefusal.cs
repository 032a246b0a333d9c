namespace EfConcurrency.Outbox;

/// <summary>Why a message was refused.</summary>
public enum OutboxRefusal
{
    /// <summary>Its type has no contract.</summary>
    TypeNotRegistered,

    /// <summary>The serializer failed.</summary>
    NotSerializable,

    /// <summary>The payload is larger than <see cref="OutboxEnqueueOptions.MaxPayloadBytes"/>.</summary>
    PayloadTooLarge,

    /// <summary>The key is empty, too long, or text that PostgreSQL can't store.</summary>
    InvalidKey,

    /// <summary>A header's name or value is not allowed, or there are too many.</summary>
    InvalidHeader,

    /// <summary>The delay is negative or too long.</summary>
    InvalidDelay,
}
