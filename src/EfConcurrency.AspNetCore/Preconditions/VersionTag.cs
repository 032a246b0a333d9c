using System.Globalization;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Microsoft.Net.Http.Headers;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>Versions as strong entity tags, <c>"v7"</c>, and back. RFC 9110, section 8.8.3.</summary>
internal static class VersionTag
{
    private const char Prefix = 'v';

    /// <summary>The tag of a version as the model has it.</summary>
    public static EntityTagHeaderValue Of(IProperty property, object version)
        => Of(Converter(property) is { } converter ? converter.ConvertToProvider(version)! : version);

    /// <summary>The tag of a number, a UUID, or a text that the program has made.</summary>
    /// <exception cref="InvalidOperationException">The value can't be a version.</exception>
    public static EntityTagHeaderValue Of(object version) => version switch
    {
        EntityTagHeaderValue tag => tag,
        Guid id => Quote($"{Prefix}{id:N}"),
        long or int or uint or ulong or short or ushort => Quote(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{version}")),
        string text when text.All(IsTagCharacter) => Quote(text),
        _ => throw new InvalidOperationException(
            $"A '{version.GetType().Name}' can't be made an entity tag. Return a number, a Guid, an EntityTagHeaderValue, or a string of visible characters without quotes."),
    };

    /// <summary>The version that a strong tag stands for; null when it is no tag of such a version.</summary>
    public static object? Parse(IProperty property, EntityTagHeaderValue tag)
    {
        var converter = Converter(property);
        var text = tag.Tag.Length > 3 && tag.Tag[1] == Prefix ? tag.Tag.AsSpan(2, tag.Tag.Length - 3) : default;
        if (tag.IsWeak || Parse(converter?.ProviderClrType ?? property.ClrType, text) is not { } stored)
        {
            return null;
        }

        var version = converter is null ? stored : converter.ConvertFromProvider(stored)!;
        return Of(property, version).Tag == tag.Tag ? version : null;
    }

    /// <summary>What an entity has that was attached without being read.</summary>
    public static object Unread(IProperty property) => property.Sentinel ?? Activator.CreateInstance(property.ClrType)!;

    private static object? Parse(Type type, ReadOnlySpan<char> text)
        => type == typeof(long) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : type == typeof(int) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var small) ? small
            : type == typeof(uint) && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var unsigned) ? unsigned
            : type == typeof(Guid) && Guid.TryParseExact(text, "N", out var id) ? id
            : null;

    private static ValueConverter? Converter(IProperty property) => property.GetTypeMapping().Converter;

    /// <summary><c>etagc</c> without the characters above ASCII, which Kestrel does not send.</summary>
    private static bool IsTagCharacter(char c) => c is '\x21' or (>= '\x23' and <= '\x7E');

    private static EntityTagHeaderValue Quote(string text) => new($"\"{text}\"");
}
