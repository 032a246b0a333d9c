using System.Collections.Immutable;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfConcurrency.Versioning;

/// <summary>Picks up <see cref="IVersioned"/>, and properties by the names given in the options.</summary>
internal sealed class VersionPropertyConvention(ImmutableArray<string> propertyNames) : IPropertyAddedConvention
{
    public void ProcessPropertyAdded(IConventionPropertyBuilder propertyBuilder, IConventionContext<IConventionPropertyBuilder> context)
    {
        var property = propertyBuilder.Metadata;
        var isVersion = typeof(IVersioned).IsAssignableFrom(property.DeclaringType.ClrType)
            ? property.Name == nameof(IVersioned.Version)
            : propertyNames.Contains(property.Name) && VersionColumn.KindOf(property.ClrType) is not null;

        if (isVersion)
        {
            propertyBuilder.HasAnnotation(VersionAnnotations.Version, true);
        }
    }
}
