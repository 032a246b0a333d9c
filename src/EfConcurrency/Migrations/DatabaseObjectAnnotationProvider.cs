#pragma warning disable EF1001 // The provider's own annotation provider must be derived from: EF knows only one.
using System.Globalization;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;

namespace EfConcurrency.Migrations;

/// <summary>
/// Carries the functions and table objects a model asks for to EF's differ: functions as <c>version:value</c> annotations of the database,
/// objects as descriptions on their tables. The differ then puts them on the operations that create and alter; a raised version is a
/// difference too.
/// </summary>
internal sealed class DatabaseObjectAnnotationProvider(
    RelationalAnnotationProviderDependencies dependencies, IEnumerable<DatabaseFunction> functions, IEnumerable<ITableObject> objects)
    : NpgsqlAnnotationProvider(dependencies)
{
    private readonly DatabaseFunction[] _functions = [.. functions];
    private readonly ITableObject[] _objects = [.. objects];

    public override IEnumerable<IAnnotation> For(IRelationalModel model, bool designTime)
    {
        foreach (var annotation in base.For(model, designTime))
        {
            yield return annotation;
        }

        if (!designTime)
        {
            yield break;
        }

        foreach (var function in _functions)
        {
            if (model.Model.FindAnnotation(function.Annotation)?.Value is string value)
            {
                yield return new Annotation(function.Annotation, string.Create(CultureInfo.InvariantCulture, $"{function.Version}:{value}"));
            }
        }
    }

    public override IEnumerable<IAnnotation> For(ITable table, bool designTime)
    {
        foreach (var annotation in base.For(table, designTime))
        {
            yield return annotation;
        }

        if (!designTime)
        {
            yield break;
        }

        foreach (var tableObject in _objects)
        {
            if (tableObject.Describe(table) is { } description)
            {
                yield return new Annotation(tableObject.Annotation, description);
            }
        }
    }
}
