using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Migrations;

/// <summary>Drops the schema of the library's tables with the last of them; EF creates schemas and leaves them behind.</summary>
internal sealed class LibrarySchema : ITableObject
{
    /// <summary>On an entity type: its table belongs to the library. Value: true. Part of users' migration snapshots: never rename it.</summary>
    public const string TableAnnotation = "EfConcurrency:LibraryTable";

    public string Annotation => "EfConcurrency:LibrarySchema";

    public string? Describe(ITable table)
        => table.EntityTypeMappings.Any(m => m.TypeBase is IEntityType type && type.FindAnnotation(TableAnnotation)?.Value is true) ? table.Schema : null;

    public string DropRest(string description, ISqlGenerationHelper sql) => MigrationsSql.DropSchemaIfEmpty(sql.DelimitIdentifier(description));
}
