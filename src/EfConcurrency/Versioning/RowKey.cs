using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>A row of an entity with a version.</summary>
/// <param name="Type">The entity type.</param>
/// <param name="Key">The primary key, by property name.</param>
internal sealed record RowKey(IEntityType Type, IReadOnlyDictionary<string, object?> Key)
{
    /// <summary>Names the row, for comparing.</summary>
    public string Id { get; } = $"{Type.Name} {VersionKeys.Format(Key)}";

    public static RowKey Of(VersionConflict conflict) => new(conflict.Type, conflict.Key);

    public static RowKey Of(IUpdateEntry entry) => new(entry.EntityType, VersionKeys.Of(entry.EntityType.FindPrimaryKey()!.Properties, VersionKeys.Values(entry)));
}
