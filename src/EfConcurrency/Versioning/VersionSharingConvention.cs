using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfConcurrency.Versioning;

/// <summary>
/// Two entities in one row share its version: EF gives the one without a version a shadow token on the same column
/// (<see cref="TableSharingConcurrencyTokenConvention"/>), and this makes a version of that token, so that a change of either raises it.
/// Runs after EF's conventions.
/// </summary>
internal sealed class VersionSharingConvention : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var (token, version) in SharedToken.Find(modelBuilder.Metadata, VersionColumn.IsVersion))
        {
            Share(token, version);
        }
    }

    private static void Share(IConventionProperty token, IConventionProperty version)
    {
        var owner = version.DeclaringType.DisplayName();
        switch (VersionModelCheck.Kind(version))
        {
            case VersionKind.Xmin:
                return;
            case VersionKind.Guid:
                throw new VersionConfigurationException(
                    owner,
                    $"'{owner}' shares its row with '{token.DeclaringType.DisplayName()}' and has a Guid version ('{version.Name}'): each of the two would write a UUID of its own. Use a long.");
        }

        token.Builder.HasAnnotation(VersionAnnotations.Version, true, fromDataAnnotation: true);
        token.Builder.ValueGenerated(ValueGenerated.OnUpdate, fromDataAnnotation: true);
        token.Builder.AfterSave(PropertySaveBehavior.Save, fromDataAnnotation: true);
    }
}
