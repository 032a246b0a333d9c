using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Versioning;

/// <summary>Refuses version columns that could not be checked.</summary>
internal static class VersionModelCheck
{
    public static void Check(IConventionEntityType entityType, List<IConventionProperty> versions)
    {
        var name = entityType.DisplayName();
        if (versions.Count > 1)
        {
            throw new VersionConfigurationException(
                name,
                $"'{name}' has {versions.Count} version columns ({string.Join(", ", versions.Select(v => v.Name))}). "
                + "Keep one: a second would be raised by the same saves and could only contradict the first.");
        }

        var version = versions[0];
        if (Kind(version) is null)
        {
            throw new VersionConfigurationException(
                name,
                $"'{name}.{version.Name}' is a '{version.ClrType.Name}', which can't be a version. "
                + "Use long, int or Guid (or a type converted to one of them), or uint for PostgreSQL's xmin.");
        }

        if (version.ClrType.IsGenericType && version.ClrType.GetGenericTypeDefinition() == typeof(Nullable<>))
        {
            throw new VersionConfigurationException(
                name, $"'{name}.{version.Name}' is nullable. A row without a version can't be checked: remove the '?' and give old rows a value in a migration.");
        }

        if (entityType.GetProperties().FirstOrDefault(p => p != version && IsRowVersion(p)) is { } rowVersion)
        {
            throw new VersionConfigurationException(
                name,
                $"'{name}' has the version column '{version.Name}' and the row version '{rowVersion.Name}'. "
                + "Keep one: remove IsRowVersion()/[Timestamp], or the version column.");
        }

        if (entityType.FindPrimaryKey() is null)
        {
            throw new VersionConfigurationException(
                name, $"'{name}' has the version column '{version.Name}' but no key, so no row of it can be saved. Give it a key, or remove the version.");
        }

        if (entityType.IsOwned() && (entityType.IsMappedToJson() || entityType.FindOwnership()!.IsUnique))
        {
            throw new VersionConfigurationException(
                name,
                $"'{name}' is owned and lives in its owner's row, so it can't have a version of its own ('{version.Name}'). "
                + "Put the version on the owner: a change of what it owns raises it.");
        }
    }

    /// <summary>The kind of the version column, from its type or the type it is converted to; null when it can't be one.</summary>
    public static VersionKind? Kind(IReadOnlyProperty property)
        => VersionColumn.KindOf(property.GetValueConverter()?.ProviderClrType ?? property.GetProviderClrType() ?? property.ClrType);

    private static bool IsRowVersion(IReadOnlyProperty property)
        => property is { IsConcurrencyToken: true, ValueGenerated: ValueGenerated.OnAddOrUpdate };
}
