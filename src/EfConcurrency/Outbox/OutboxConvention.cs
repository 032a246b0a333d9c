using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfConcurrency.Outbox;

/// <summary>
/// Asks migrations for the guard function: with messages every save has several statements, and takes one round trip instead of two where the server judges it.
/// </summary>
internal sealed class OutboxConvention(string guardSchema) : IModelFinalizingConvention, IConventionSetPlugin
{
    public ConventionSet ModifyConventions(ConventionSet conventionSet)
    {
        conventionSet.ModelFinalizingConventions.Add(this);
        return conventionSet;
    }

    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        if (modelBuilder.Metadata.FindEntityType(typeof(OutboxRecord)) is not null)
        {
            modelBuilder.HasAnnotation(GuardFunctionAnnotation.Name, guardSchema);
        }
    }
}
