#pragma warning disable EF1001 // The constructor of the provider's (public) SQL generator takes an internal options type.
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations;

namespace EfConcurrency.Migrations;

/// <summary>Turns the annotations of <see cref="DatabaseObjectAnnotationProvider"/> into CREATE and DROP of functions and table objects.</summary>
internal sealed class DatabaseObjectMigrationsSqlGenerator(
    MigrationsSqlGeneratorDependencies dependencies, INpgsqlSingletonOptions options, IEnumerable<DatabaseFunction> functions, IEnumerable<ITableObject> objects)
    : NpgsqlMigrationsSqlGenerator(dependencies, options)
{
    private readonly DatabaseFunction[] _functions = [.. functions];
    private readonly ITableObject[] _objects = [.. objects];

    /// <summary>What an altered table gets comes after everything else: EF alters a table before it adds the columns that a trigger looks at.</summary>
    public override IReadOnlyList<MigrationCommand> Generate(
        IReadOnlyList<MigrationOperation> operations, IModel? model = null, MigrationsSqlGenerationOptions options = MigrationsSqlGenerationOptions.Default)
    {
        var commands = base.Generate(operations, model, options);
        var builder = new MigrationCommandListBuilder(Dependencies);
        foreach (var operation in operations.OfType<AlterTableOperation>())
        {
            foreach (var tableObject in Changed(operation))
            {
                if (operation[tableObject.Annotation] is string now)
                {
                    Append(builder, tableObject.Create(now, Table(operation.Name, operation.Schema), Dependencies.SqlGenerationHelper));
                }
            }
        }

        return [.. commands, .. builder.GetCommandList()];
    }

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

            if (before is not null && (now is null || Value(before) != Value(now)))
            {
                var schema = Names(before)[0];
                Append(builder, function.Drop(schema));
                Append(builder, MigrationsSql.DropSchemaIfEmpty(schema));
            }

            if (now is not null)
            {
                Append(builder, function.Create(Names(now)));
            }
        }
    }

    protected override void Generate(CreateTableOperation operation, IModel? model, MigrationCommandListBuilder builder, bool terminate = true)
    {
        var clause = Described(operation).Select(d => d.Object.CreateTableClause(d.Description, Dependencies.SqlGenerationHelper)).FirstOrDefault(c => c is not null);
        base.Generate(operation, model, builder, terminate && clause is null);
        if (clause is not null)
        {
            builder.AppendLine().Append(clause);
            if (terminate)
            {
                builder.AppendLine(Dependencies.SqlGenerationHelper.StatementTerminator).EndCommand();
            }
        }

        foreach (var (tableObject, description) in Described(operation))
        {
            Append(builder, tableObject.Create(description, Table(operation.Name, operation.Schema), Dependencies.SqlGenerationHelper));
        }
    }

    protected override void Generate(AlterTableOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        base.Generate(operation, model, builder);
        foreach (var tableObject in Changed(operation))
        {
            if (operation.OldTable[tableObject.Annotation] is string before)
            {
                Append(builder, tableObject.Drop(before, Table(operation.Name, operation.Schema), Dependencies.SqlGenerationHelper));
                Append(builder, tableObject.DropRest(before, Dependencies.SqlGenerationHelper));
            }
        }
    }

    protected override void Generate(DropTableOperation operation, IModel? model, MigrationCommandListBuilder builder, bool terminate = true)
    {
        base.Generate(operation, model, builder, terminate);
        foreach (var (tableObject, description) in Described(operation))
        {
            Append(builder, tableObject.DropRest(description, Dependencies.SqlGenerationHelper));
        }
    }

    /// <summary>Columns go before their table is altered, and a trigger that looks at one would stop that.</summary>
    protected override void Generate(DropColumnOperation operation, IModel? model, MigrationCommandListBuilder builder, bool terminate = true)
    {
        foreach (var (tableObject, description) in Described(operation))
        {
            Append(builder, tableObject.Drop(description, Table(operation.Table, operation.Schema), Dependencies.SqlGenerationHelper));
        }

        base.Generate(operation, model, builder, terminate);
    }

    private static void Append(MigrationCommandListBuilder builder, string? sql)
    {
        if (sql is not null)
        {
            builder.AppendLines(sql);
            builder.EndCommand();
        }
    }

    private string[] Names(string annotation) => DatabaseFunction.Quoted(Value(annotation), Dependencies.SqlGenerationHelper);

    private static string Value(string annotation) => annotation[(annotation.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private IEnumerable<ITableObject> Changed(AlterTableOperation operation)
        => _objects.Where(o => operation[o.Annotation] as string != operation.OldTable[o.Annotation] as string);

    private IEnumerable<(ITableObject Object, string Description)> Described(MigrationOperation operation)
        => _objects.Where(t => operation[t.Annotation] is string).Select(t => (t, (string)operation[t.Annotation]!));

    private string Table(string name, string? schema) => Dependencies.SqlGenerationHelper.DelimitIdentifier(name, schema);
}
