using System.Globalization;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>Keys of rows, by property name.</summary>
internal static class VersionKeys
{
    public static IReadOnlyDictionary<string, object?> Of(IReadOnlyList<IProperty> properties, object?[] values)
        => properties.Select((p, i) => KeyValuePair.Create(p.Name, values[i])).ToDictionary();

    /// <summary>The primary key of an entry, as it is in the database.</summary>
    public static object?[] Values(IUpdateEntry entry)
        => [.. entry.EntityType.FindPrimaryKey()!.Properties.Select(p => entry.GetOriginalValue(p))];

    public static string Format(IReadOnlyDictionary<string, object?> key)
        => string.Join(", ", key.Select(k => string.Create(CultureInfo.InvariantCulture, $"{k.Key}={k.Value}")));
}
