using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfConcurrency.Fencing;

/// <summary>
/// Two entities in one row share its fence: EF gives the one without a token a shadow token on the same column
/// (<see cref="TableSharingConcurrencyTokenConvention"/>). Runs after EF's conventions.
/// </summary>
internal sealed class FencingSharingConvention : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var (token, shared) in SharedToken.Find(modelBuilder.Metadata, Fence.IsToken))
        {
            var owner = shared.DeclaringType.ContainingEntityType;
            var entityType = (IConventionEntityType)token.DeclaringType;
            var template = Fence.FindTemplate(owner)!;
            if (!ResourceTemplate.Parse(template).IsConstant)
            {
                throw new FencingConfigurationException(
                    owner.DisplayName(),
                    $"'{owner.DisplayName()}' is fenced row by row and shares its row with '{entityType.DisplayName()}', which has none of its properties. Fence it by one name, or own the other (OwnsOne).");
            }

            entityType.Builder.HasAnnotation(FencingAnnotations.FencedBy, template, fromDataAnnotation: true);
            token.Builder.HasAnnotation(FencingAnnotations.Token, true, fromDataAnnotation: true);
            token.Builder.HasAnnotation(CeilingColumn.Annotation, true, fromDataAnnotation: true);
            token.Builder.ValueGenerated(ValueGenerated.OnUpdate, fromDataAnnotation: true);
            token.Builder.AfterSave(PropertySaveBehavior.Save, fromDataAnnotation: true);
        }
    }
}
