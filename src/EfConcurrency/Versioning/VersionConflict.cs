using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Versioning;

/// <summary>One row that another writer changed or deleted since it was read.</summary>
public sealed class VersionConflict
{
    private VersionConflict(IEntityType entityType, IReadOnlyDictionary<string, object?> key, object? expected, object? actual, bool isDeleted, IReadOnlyList<string> changedProperties)
    {
        Type = entityType;
        Key = key;
        Expected = expected;
        Actual = actual;
        IsDeleted = isDeleted;
        ChangedProperties = changedProperties;
    }

    /// <summary>Display name of the entity type.</summary>
    public string EntityType => Type.DisplayName();

    /// <summary>The primary key, by property name.</summary>
    public IReadOnlyDictionary<string, object?> Key { get; }

    /// <summary>The version that was read; null when the row was never read (a root raised by its key).</summary>
    public object? Expected { get; }

    /// <summary>The version in the database after the refusal; null when there is no such row.</summary>
    public object? Actual { get; }

    /// <summary>Whether there is no row of this key: deleted since it was read, or never inserted.</summary>
    public bool IsDeleted { get; }

    /// <summary>Names of the properties this save wanted to write; no values, so that a log may show them.</summary>
    public IReadOnlyList<string> ChangedProperties { get; }

    /// <summary>
    /// Whether the expected version was given by <c>db.Expect(…)</c>, as a client's precondition is. Reading again does not change it, so
    /// <c>RetryOnConflictAsync</c> does not try again.
    /// </summary>
    public bool IsPrecondition { get; private init; }

    internal IEntityType Type { get; }

    /// <inheritdoc/>
    public override string ToString()
        => IsDeleted
            ? $"{EntityType} ({VersionKeys.Format(Key)}): expected version {Expected ?? "any"}, but there is no such row"
            : $"{EntityType} ({VersionKeys.Format(Key)}): expected version {Expected}, but the row has {Actual}";

    internal static VersionConflict Stale(
        IEntityType entityType, IReadOnlyDictionary<string, object?> key, object? expected, object? actual, IReadOnlyList<string> changedProperties, bool isPrecondition = false)
        => new(entityType, key, expected, actual, isDeleted: false, changedProperties) { IsPrecondition = isPrecondition };

    internal static VersionConflict Deleted(
        IEntityType entityType, IReadOnlyDictionary<string, object?> key, object? expected, IReadOnlyList<string>? changedProperties = null, bool isPrecondition = false)
        => new(entityType, key, expected, actual: null, isDeleted: true, changedProperties ?? []) { IsPrecondition = isPrecondition };
}
