using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// Asks migrations for the guard function when a type is in the model whose rows ride in saves (messages, keys): such a save has several statements, and
/// takes one round trip instead of two where the server judges it.
/// </summary>
internal sealed class GuardFunctionConvention(string guardSchema, Type riding) : IModelFinalizingConvention, IConventionSetPlugin
{
    public ConventionSet ModifyConventions(ConventionSet conventionSet)
    {
        conventionSet.ModelFinalizingConventions.Add(this);
        return conventionSet;
    }

    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        if (modelBuilder.Metadata.FindEntityType(riding) is not null)
        {
            modelBuilder.HasAnnotation(GuardFunctionAnnotation.Name, guardSchema);
        }
    }
}
