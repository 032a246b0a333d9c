#pragma warning disable EF1001 // The dependencies of the (public) annotation provider are an internal type.
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EfConcurrency.Migrations;

/// <summary>
/// Names functions and table objects on the operations that drop: the whole model, which is what EF sees in the Down of a first migration, a
/// table, and a column that a trigger looks at. Without it they would stay behind, or stop the column from being dropped.
/// </summary>
internal sealed class DatabaseObjectRemovalAnnotationProvider(
    MigrationsAnnotationProviderDependencies dependencies, IEnumerable<DatabaseFunction> functions, IEnumerable<ITableObject> objects)
    : MigrationsAnnotationProvider(dependencies)
{
    private readonly HashSet<string> _annotations = [.. functions.Select(f => f.Annotation)];
    private readonly ITableObject[] _objects = [.. objects];

    public override IEnumerable<IAnnotation> ForRemove(IRelationalModel model)
        => base.ForRemove(model).Concat(model.GetAnnotations().Where(a => _annotations.Contains(a.Name)));

    public override IEnumerable<IAnnotation> ForRemove(ITable table)
        => base.ForRemove(table).Concat(Objects(table, _objects));

    public override IEnumerable<IAnnotation> ForRemove(IColumn column)
        => base.ForRemove(column).Concat(Objects((ITable)column.Table, _objects.Where(t => t.UsesColumn(column))));

    private static IEnumerable<IAnnotation> Objects(ITable table, IEnumerable<ITableObject> objects)
        => from tableObject in objects
           let description = tableObject.Describe(table)
           where description is not null
           select new Annotation(tableObject.Annotation, description);
}
