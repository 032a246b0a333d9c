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
        // As if by attribute, so that EF's own conventions, which come later, don't take it back (they do for an abstract TPC base).
        var builder = property.Builder;
        builder.IsConcurrencyToken(true, fromDataAnnotation: true);
        builder.IsRequired(true, fromDataAnnotation: true);

        if (VersionModelCheck.Kind(property) == VersionKind.Xmin)
        {
            builder.ValueGenerated(ValueGenerated.OnAddOrUpdate, fromDataAnnotation: true);
            return;
        }

        builder.ValueGenerated(ValueGenerated.OnUpdate, fromDataAnnotation: true);
        builder.AfterSave(PropertySaveBehavior.Save, fromDataAnnotation: true);
    }
}
