using System.Collections.Immutable;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfConcurrency.Versioning;

/// <summary>Adds the conventions of this room to EF's.</summary>
/// <param name="dependencies">What EF's conventions get.</param>
/// <param name="propertyNames">Names that make a property a version column.</param>
/// <param name="guardSchema">Schema of the guard function; null when saves are never judged by the server.</param>
internal sealed class VersionConventionPlugin(
    ProviderConventionSetBuilderDependencies dependencies, ImmutableArray<string> propertyNames, string? guardSchema)
    : IConventionSetPlugin
{
    public ConventionSet ModifyConventions(ConventionSet conventionSet)
    {
        conventionSet.PropertyAddedConventions.Add(new VersionAttributeConvention(dependencies));
        conventionSet.PropertyAddedConventions.Add(new VersionPropertyConvention(propertyNames));

        // First, so that EF's own conventions on concurrency tokens (table sharing, xmin) see the finished version columns.
        conventionSet.ModelFinalizingConventions.Insert(0, new VersionFinalizingConvention(guardSchema));
        conventionSet.ModelFinalizingConventions.Add(new VersionSharingConvention());
        return conventionSet;
    }
}
