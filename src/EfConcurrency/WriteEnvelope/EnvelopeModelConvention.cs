using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// Marks the model while it is built, so that <c>HasVersion</c> or <c>FencedBy</c> can tell that <c>UseEfConcurrency</c> is missing:
/// without it they would be declared and never checked. The mark is gone from the finished model.
/// </summary>
internal sealed class EnvelopeModelConvention : IModelInitializedConvention, IModelFinalizingConvention, IConventionSetPlugin
{
    private const string IsSupportedAnnotation = "EfConcurrency:IsSupported";

    /// <summary>Whether saves of a context with this model go through the envelope.</summary>
    public static bool IsSupported(IReadOnlyModel model) => model.FindAnnotation(IsSupportedAnnotation) is not null;

    public ConventionSet ModifyConventions(ConventionSet conventionSet)
    {
        conventionSet.ModelInitializedConventions.Add(this);
        conventionSet.ModelFinalizingConventions.Add(this);
        return conventionSet;
    }

    public void ProcessModelInitialized(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
        => modelBuilder.HasAnnotation(IsSupportedAnnotation, true);

    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
        => modelBuilder.Metadata.RemoveAnnotation(IsSupportedAnnotation);
}
