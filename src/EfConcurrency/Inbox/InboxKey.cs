using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace EfConcurrency.Inbox;

/// <summary>A message's id as the inbox keeps it, and the day that is in it.</summary>
/// <param name="Id">The UUID; for text, one made from it.</param>
/// <param name="ForeignId">The text; empty for a UUID.</param>
/// <param name="SentAt">The time in a UUID of version 7; null for an id without one.</param>
internal readonly record struct InboxKey(Guid Id, string ForeignId, DateTimeOffset? SentAt)
{
    public const int MaxConsumerLength = 100;

    public const int MaxForeignIdLength = 500;

    /// <summary>How far producers' clocks may be ahead of the database's. Generous: a refused message needs a person, an id from the future nothing but space.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromHours(1);

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>RFC 9562 has 48 bits of milliseconds, which is more than <see cref="DateTimeOffset"/> can hold. What comes later lies outside of every window all the same.</summary>
    private static readonly long LatestMilliseconds = new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    /// <summary>How the id was sent.</summary>
    public string Text => ForeignId.Length > 0 ? ForeignId : Id.ToString();

    /// <summary>Days from 1970 to <see cref="SentAt"/>.</summary>
    public long? Day => SentAt?.ToUnixTimeMilliseconds() / (long)TimeSpan.MillisecondsPerDay;

    /// <summary>Partitions for days: the window touches one day more than it is long, and one partition is empty or being emptied.</summary>
    public static int DaySlots(int windowDays) => windowDays + 2;

    public static InboxKey Of(Guid id) => new(id, "", Time(id));

    /// <summary>Text that is a UUID in the usual form, as this library's producers send it, is that UUID.</summary>
    /// <exception cref="ArgumentException">The id is empty, too long, or can't be stored.</exception>
    public static InboxKey Of(string messageId)
    {
        ArgumentException.ThrowIfNullOrEmpty(messageId);
        if (Guid.TryParseExact(messageId, "D", out var id))
        {
            return Of(id);
        }

        if (messageId.Length > MaxForeignIdLength)
        {
            throw new ArgumentException(
                $"The message id has {messageId.Length} characters; at most {MaxForeignIdLength} are possible. If no part of it is unique by itself, use a hash of it.", nameof(messageId));
        }

        return new(Hash(messageId), messageId, null);
    }

    /// <exception cref="ArgumentException">The name is empty, too long, or can't be stored.</exception>
    public static void CheckConsumer(string consumer)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(consumer);
        if (consumer.Length > MaxConsumerLength || consumer.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"The consumer's name has {consumer.Length} characters; it may have {MaxConsumerLength}, none of them U+0000.", nameof(consumer));
        }
    }

    public short Slot(int windowDays)
    {
        var slots = DaySlots(windowDays);
        return (short)(Day is { } day ? day % slots : slots);
    }

    private static DateTimeOffset? Time(Guid id)
    {
        if (id.Version != 7 || (id.Variant & 0b1100) != 0b1000)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return DateTimeOffset.FromUnixTimeMilliseconds(Math.Min((long)(BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16), LatestMilliseconds));
    }

    /// <summary>A UUID of version 8 (RFC 9562, 5.8), made as version 5 is, from a better hash.</summary>
    private static Guid Hash(string messageId)
    {
        byte[] text;
        try
        {
            text = Utf8.GetBytes(messageId);
        }
        catch (EncoderFallbackException)
        {
            text = [0];
        }

        if (text.AsSpan().Contains((byte)0))
        {
            throw new ArgumentException("The message id contains the character U+0000 or half of a surrogate pair, which PostgreSQL can't store.", nameof(messageId));
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}
