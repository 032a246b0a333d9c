using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Microsoft.EntityFrameworkCore;

/// <summary>What the model says about versions.</summary>
public static class VersioningModelExtensions
{
    /// <summary>The version property of the entity type, its base types included.</summary>
    /// <param name="entityType">The entity type, of a finished model.</param>
    /// <returns>The property, or null when the entity type has no version column.</returns>
    public static IProperty? FindVersionProperty(this IEntityType entityType)
    {
        ArgumentNullException.ThrowIfNull(entityType);
        return VersionColumn.Find(entityType)?.Property;
    }
}
