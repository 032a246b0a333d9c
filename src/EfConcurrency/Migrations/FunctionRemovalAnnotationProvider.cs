#pragma warning disable EF1001 // The dependencies of the (public) annotation provider are an internal type.
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EfConcurrency.Migrations;

/// <summary>
/// Names the functions when the whole model goes, which is what EF sees in the Down of a first migration: without it they would stay
/// behind.
/// </summary>
internal sealed class FunctionRemovalAnnotationProvider(MigrationsAnnotationProviderDependencies dependencies, IEnumerable<DatabaseFunction> functions)
    : MigrationsAnnotationProvider(dependencies)
{
    private readonly HashSet<string> _annotations = [.. functions.Select(f => f.Annotation)];

    public override IEnumerable<IAnnotation> ForRemove(IRelationalModel model)
        => base.ForRemove(model).Concat(model.GetAnnotations().Where(a => _annotations.Contains(a.Name)));
}
