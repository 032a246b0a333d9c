using EfConcurrency.Migrations;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfConcurrency.Fencing;

/// <summary>Checks the declared fences, makes ceiling columns of the tokens, and asks migrations for the functions.</summary>
internal sealed class FencingFinalizingConvention(string schema, string? guardSchema) : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        var model = modelBuilder.Metadata;
        var tokens = TokenTable.FindEntityType(model);
        var fenced = model.GetEntityTypes().Where(t => FencingModelCheck.IsDeclared(t)).ToList();
        foreach (var entityType in fenced)
        {
            FencingModelCheck.Check(entityType, hasTokenTable: tokens is not null);
            foreach (var token in entityType.GetDeclaredProperties().Where(Fence.IsToken))
            {
                Configure(token);
            }
        }

        if (tokens is not null)
        {
            modelBuilder.HasAnnotation(FencingAnnotations.Functions, DatabaseFunction.Names(tokens.GetSchema()!, tokens.GetTableName()!));
        }

        if (fenced.Exists(t => t.FindAnnotation(FencingAnnotations.Trigger) is not null))
        {
            modelBuilder.HasAnnotation(FencingAnnotations.RejectFunction, schema);
        }

        if (guardSchema is not null && (tokens is not null || fenced.Count > 0))
        {
            modelBuilder.HasAnnotation(GuardFunctionAnnotation.Name, guardSchema);
        }
    }

    /// <summary>As with versions: EF keeps the new value beside the entity until the save has succeeded.</summary>
    private static void Configure(IConventionProperty property)
    {
        var builder = property.Builder;
        builder.HasAnnotation(CeilingColumn.Annotation, true, fromDataAnnotation: true);
        builder.IsConcurrencyToken(true, fromDataAnnotation: true);
        builder.IsRequired(true, fromDataAnnotation: true);
        builder.ValueGenerated(ValueGenerated.OnUpdate, fromDataAnnotation: true);
        builder.AfterSave(PropertySaveBehavior.Save, fromDataAnnotation: true);
    }
}
