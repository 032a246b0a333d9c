using System.Reflection;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfConcurrency.Versioning;

/// <summary>Picks up <see cref="VersionAttribute"/>.</summary>
internal sealed class VersionAttributeConvention(ProviderConventionSetBuilderDependencies dependencies)
    : PropertyAttributeConventionBase<VersionAttribute>(dependencies)
{
    protected override void ProcessPropertyAdded(
        IConventionPropertyBuilder propertyBuilder, VersionAttribute attribute, MemberInfo clrMember, IConventionContext context)
        => propertyBuilder.HasAnnotation(VersionAnnotations.Version, true, fromDataAnnotation: true);
}
