using System.Globalization;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Migrations;

/// <summary>
/// A table in list partitions <c>0 … n-1</c> of a small integer column, so that old rows go by TRUNCATE and not by DELETE. The partitions are
/// named after the table as it is created: <c>outbox_0</c>. When the table is renamed or moved later, they keep name and schema; ask <c>pg_inherits</c>.
/// </summary>
internal sealed class PartitionedTable : ITableObject
{
    /// <summary>On an entity type. Value: column, number of partitions and their storage parameters. Part of users' migration snapshots: never rename it.</summary>
    private const string EntityAnnotation = "EfConcurrency:Partitions";

    private const char Separator = '\u001f';

    public string Annotation => "EfConcurrency:PartitionedTable";

    /// <summary>Lets migrations create the table of an entity type with partitions. The column must be part of every key.</summary>
    /// <param name="entity">The entity type.</param>
    /// <param name="column">The column, unquoted.</param>
    /// <param name="count">Number of partitions.</param>
    /// <param name="storage">Storage parameters of each partition as in <c>WITH (…)</c>, or empty. A partitioned table itself can have none.</param>
    public static void Declare(EntityTypeBuilder entity, string column, int count, string storage = "")
        => entity.HasAnnotation(EntityAnnotation, string.Create(CultureInfo.InvariantCulture, $"{column}{Separator}{count}{Separator}{storage}"));

    public string? Describe(ITable table)
        => table.EntityTypeMappings.Select(m => (m.TypeBase as IEntityType)?.FindAnnotation(EntityAnnotation)?.Value as string).FirstOrDefault(v => v is not null);

    public string CreateTableClause(string description, ISqlGenerationHelper sql)
        => MigrationsSql.PartitionBy(sql.DelimitIdentifier(description.Split(Separator)[0]));

    public string Create(string description, string table, ISqlGenerationHelper sql)
    {
        var parts = description.Split(Separator);
        var count = int.Parse(parts[1], CultureInfo.InvariantCulture);
        return string.Join(Environment.NewLine, Enumerable.Range(0, count).Select(i => MigrationsSql.CreatePartition(table, Partition(table, i), i, parts[2])));
    }

    private static string Partition(string table, int number)
    {
        var suffix = string.Create(CultureInfo.InvariantCulture, $"_{number}");
        return table.EndsWith('"') ? $"{table[..^1]}{suffix}\"" : table + suffix;
    }
}
