#pragma warning disable EF1001 // The provider's own annotation provider must be derived from: EF knows only one.
using System.Globalization;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;

namespace EfConcurrency.Migrations;

/// <summary>
/// Carries the functions a model asks for to EF's differ, as <c>version:schema</c> annotations of the database. The differ then
/// puts them on the operation that alters the database; a raised version is a difference too.
/// </summary>
internal sealed class FunctionAnnotationProvider(RelationalAnnotationProviderDependencies dependencies, IEnumerable<DatabaseFunction> functions)
    : NpgsqlAnnotationProvider(dependencies)
{
    private readonly DatabaseFunction[] _functions = [.. functions];

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
            if (model.Model.FindAnnotation(function.Annotation)?.Value is string schema)
            {
                yield return new Annotation(function.Annotation, string.Create(CultureInfo.InvariantCulture, $"{function.Version}:{schema}"));
            }
        }
    }
}
