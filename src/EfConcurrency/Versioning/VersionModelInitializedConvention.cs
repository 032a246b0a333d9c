using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfConcurrency.Versioning;

/// <summary>
/// Marks the model while it is built, so that <c>HasVersion</c> can tell that <c>UseEfConcurrency</c> is missing: without it a
/// version would be declared and never checked. The mark is gone from the finished model.
/// </summary>
internal sealed class VersionModelInitializedConvention : IModelInitializedConvention
{
    public void ProcessModelInitialized(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
        => modelBuilder.HasAnnotation(VersionAnnotations.IsSupported, true);
}
