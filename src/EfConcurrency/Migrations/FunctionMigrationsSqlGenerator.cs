#pragma warning disable EF1001 // The constructor of the provider's (public) SQL generator takes an internal options type.
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations;

namespace EfConcurrency.Migrations;

/// <summary>Turns the annotations of <see cref="FunctionAnnotationProvider"/> into CREATE and DROP FUNCTION.</summary>
internal sealed class FunctionMigrationsSqlGenerator(
    MigrationsSqlGeneratorDependencies dependencies, INpgsqlSingletonOptions options, IEnumerable<DatabaseFunction> functions)
    : NpgsqlMigrationsSqlGenerator(dependencies, options)
{
    private readonly DatabaseFunction[] _functions = [.. functions];

    protected override void Generate(AlterDatabaseOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        base.Generate(operation, model, builder);

        foreach (var function in _functions)
        {
            var now = operation[function.Annotation] as string;
            var before = operation.OldDatabase[function.Annotation] as string;
            if (now == before)
            {
                continue;
            }

            if (before is not null && (now is null || Schema(before) != Schema(now)))
            {
                Append(builder, function.Drop(Schema(before)));
            }

            if (now is not null)
            {
                Append(builder, function.Create(Schema(now)));
            }
        }
    }

    private static void Append(MigrationCommandListBuilder builder, string sql)
    {
        builder.AppendLines(sql);
        builder.EndCommand();
    }

    private string Schema(string annotation)
        => Dependencies.SqlGenerationHelper.DelimitIdentifier(annotation[(annotation.IndexOf(':', StringComparison.Ordinal) + 1)..]);
}
