using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>A row of an entity with a version.</summary>
/// <param name="Type">The entity type.</param>
/// <param name="Key">The primary key, by property name.</param>
/// <param name="Save">Which save of its unit wrote it; 0: the first.</param>
internal sealed record RowKey(IEntityType Type, IReadOnlyDictionary<string, object?> Key, int Save = 0)
{
    /// <summary>Names the row, for comparing.</summary>
    public string Id { get; } = $"{Type.Name} {VersionKeys.Format(Key)}";

    public static RowKey Of(VersionConflict conflict, int save = 0) => new(conflict.Type, conflict.Key, save);

    public static RowKey Of(IUpdateEntry entry, int save) => new(entry.EntityType, VersionKeys.Of(entry.EntityType.FindPrimaryKey()!.Properties, VersionKeys.Values(entry)), save);
}
