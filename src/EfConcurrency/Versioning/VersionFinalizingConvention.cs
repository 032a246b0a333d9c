using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfConcurrency.Versioning;

/// <summary>Checks the declared version columns and turns them into concurrency tokens that the library writes.</summary>
internal sealed class VersionFinalizingConvention(string? guardSchema) : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        modelBuilder.Metadata.RemoveAnnotation(VersionAnnotations.IsSupported);

        var isVersioned = false;
        foreach (var entityType in modelBuilder.Metadata.GetEntityTypes())
        {
            var versions = entityType.GetProperties().Where(VersionColumn.IsVersion).ToList();
            if (versions.Count == 0)
            {
                continue;
            }

            VersionModelCheck.Check(entityType, versions);
            isVersioned = true;
            if (versions[0].DeclaringType == entityType)
            {
                Configure(versions[0]);
            }
        }

        if (isVersioned && guardSchema is not null)
        {
            modelBuilder.HasAnnotation(GuardFunctionAnnotation.Name, guardSchema);
        }
    }

    /// <summary>
    /// Generated on update, yet saved: so EF keeps the new value beside the entity until the save has succeeded, and the
    /// entity never shows a version that is not in the database.
    /// </summary>
    private static void Configure(IConventionProperty property)
    {
        var builder = property.Builder;
        builder.IsConcurrencyToken(true);
        builder.IsRequired(true);

        if (VersionModelCheck.Kind(property) == VersionKind.Xmin)
        {
            builder.ValueGenerated(ValueGenerated.OnAddOrUpdate);
            return;
        }

        builder.ValueGenerated(ValueGenerated.OnUpdate);
        builder.AfterSave(PropertySaveBehavior.Save);
    }
}
