using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// What an advisory lock is taken on: a 64-bit number, or two 32-bit numbers, which PostgreSQL keeps apart from the former.
/// Two keys are equal when they are the same lock for the server; a name is only how a key was made.
/// https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
/// </summary>
public sealed class AdvisoryKey : IEquatable<AdvisoryKey>
{
    private const char Separator = '\u001f';

    /// <summary>Up to this length, in characters, a name is hashed without an allocation.</summary>
    private const int MaxShort = 100;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal AdvisoryKey(long number, bool isPair, string? name, string @namespace)
    {
        Number = number;
        IsPair = isPair;
        Name = name;
        Namespace = @namespace;
    }

    /// <summary>The number that the server locks; of a pair, the first in the upper and the second in the lower 32 bits.</summary>
    public long Number { get; }

    /// <summary>Whether the key is two 32-bit numbers.</summary>
    public bool IsPair { get; }

    /// <summary>The name that the number was made from; null for a number.</summary>
    public string? Name { get; }

    /// <summary>What keeps equal names of different uses apart; empty when none was given.</summary>
    public string Namespace { get; }

    /// <summary>The order in which several keys are locked, the same for everybody: numbers before pairs, each by value.</summary>
    internal static IComparer<AdvisoryKey> LockOrder { get; } = Comparer<AdvisoryKey>.Create((x, y) => x.IsPair != y.IsPair ? x.IsPair.CompareTo(y.IsPair) : x.Number.CompareTo(y.Number));

    internal string? FullName => Name is null || Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";

    /// <summary>
    /// The key of a name: the first 8 bytes, big-endian, of SHA-256 over the UTF-8 bytes of <c>namespace U+001F name</c>. In SQL:
    /// <c>('x'||substr(encode(sha256(convert_to(namespace||U&amp;'\001F'||name,'UTF8')),'hex'),1,16))::bit(64)::bigint</c>.
    /// Names are compared byte for byte. Of a million names, two have the same number with a probability of 3e-8; they would only wait for each other.
    /// </summary>
    /// <param name="name">What is locked, such as <c>invoice:42</c>.</param>
    /// <param name="namespace">Keeps equal names of different uses apart. Default: empty.</param>
    /// <returns>The key.</returns>
    /// <exception cref="ArgumentException">The name is empty, or one of the two holds what PostgreSQL's text can't (U+0000, half a surrogate pair), or the namespace holds U+001F.</exception>
    public static AdvisoryKey Of(string name, string @namespace = "")
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(@namespace);
        if (string.IsNullOrWhiteSpace(name))
        {
            throw new ArgumentException("The name of an advisory lock is empty: every caller without a name would wait for every other. Name what is locked, such as \"invoice:42\".", nameof(name));
        }

        if (@namespace.Contains(Separator, StringComparison.Ordinal))
        {
            throw new ArgumentException("A namespace must not hold U+001F: it stands between namespace and name. Use another character.", nameof(@namespace));
        }

        return new(Hash(name, @namespace), isPair: false, name, @namespace);
    }

    /// <summary>The key of a number, as <c>pg_advisory_lock(bigint)</c> takes it.</summary>
    /// <param name="number">Any number.</param>
    /// <returns>The key.</returns>
    public static AdvisoryKey Of(long number) => new(number, isPair: false, name: null, "");

    /// <summary>The key of two numbers, as <c>pg_advisory_lock(int, int)</c> takes them. No pair is the same lock as any single number.</summary>
    /// <param name="first">For example the kind of thing.</param>
    /// <param name="second">For example its id.</param>
    /// <returns>The key.</returns>
    public static AdvisoryKey Of(int first, int second) => new(((long)first << 32) | (uint)second, isPair: true, name: null, "");

    /// <summary>The key of a name; see <see cref="Of(string, string)"/>.</summary>
    /// <param name="name">What is locked.</param>
    public static implicit operator AdvisoryKey(string name) => Of(name);

    /// <summary>The key of a number.</summary>
    /// <param name="number">Any number.</param>
    public static implicit operator AdvisoryKey(long number) => Of(number);

    /// <summary>The key of two numbers.</summary>
    /// <param name="pair">The numbers.</param>
    public static implicit operator AdvisoryKey((int First, int Second) pair) => Of(pair.First, pair.Second);

    /// <summary>Whether both are the same lock for the server.</summary>
    /// <param name="left">A key.</param>
    /// <param name="right">Another key.</param>
    public static bool operator ==(AdvisoryKey? left, AdvisoryKey? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Whether they are different locks for the server.</summary>
    /// <param name="left">A key.</param>
    /// <param name="right">Another key.</param>
    public static bool operator !=(AdvisoryKey? left, AdvisoryKey? right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(AdvisoryKey? other) => other is not null && other.Number == Number && other.IsPair == IsPair;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AdvisoryKey);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Number, IsPair);

    /// <summary>The name with its number, or the number.</summary>
    /// <returns>For messages.</returns>
    public override string ToString() => FullName is { } name ? $"'{name}' ({Digits})" : Digits;

    internal string Digits
        => IsPair
            ? string.Create(CultureInfo.InvariantCulture, $"({(int)(Number >> 32)}, {(int)Number})")
            : Number.ToString(CultureInfo.InvariantCulture);

    private static long Hash(string name, string @namespace)
    {
        var text = string.Concat(@namespace, Separator.ToString(), name);
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("The name of an advisory lock holds U+0000, which no text of PostgreSQL can hold. Use another character.", nameof(name));
        }

        try
        {
            Span<byte> utf8 = text.Length <= MaxShort ? stackalloc byte[Utf8.GetMaxByteCount(MaxShort)] : new byte[Utf8.GetMaxByteCount(text.Length)];
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(utf8[..Utf8.GetBytes(text, utf8)], hash);
            return BinaryPrimitives.ReadInt64BigEndian(hash);
        }
        catch (EncoderFallbackException exception)
        {
            throw new ArgumentException("The name of an advisory lock holds half a surrogate pair, which is no text. Was the name cut in the middle of a character?", nameof(name), exception);
        }
    }
}
