using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>The table of names as the model maps it; identifiers are quoted.</summary>
internal sealed record AdvisoryLockNameTable(string Table, string Key, string Namespace, string Name)
{
    private const string Annotation = "EfConcurrency:AdvisoryLockNameTable";

    /// <summary>Null when the model has none.</summary>
    public static AdvisoryLockNameTable? Of(DbContext context)
        => context.Model.FindEntityType(typeof(AdvisoryLockName)) is { } type
            ? type.GetOrAddRuntimeAnnotationValue(Annotation, static a => Read(a.type, a.sql), (type, sql: context.GetService<ISqlGenerationHelper>()))
            : null;

    public static bool IsMissing(PostgresException exception) => exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedColumn;

    public InvalidOperationException Missing(Exception inner)
        => new($"The database has no table {Table} with the columns of the model. HasAdvisoryLockNames() put it into the model: add a migration and apply it.", inner);

    private static AdvisoryLockNameTable Read(IEntityType type, ISqlGenerationHelper helper)
    {
        var table = StoreObjectIdentifier.Create(type, StoreObjectType.Table)!.Value;
        return new(
            helper.DelimitIdentifier(table.Name, table.Schema),
            Column(nameof(AdvisoryLockName.Key)),
            Column(nameof(AdvisoryLockName.Namespace)),
            Column(nameof(AdvisoryLockName.Name)));

        string Column(string property) => helper.DelimitIdentifier(type.FindProperty(property)!.GetColumnName(table)!);
    }
}
