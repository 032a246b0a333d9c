using System.Globalization;

namespace EfConcurrency.Migrations;

/// <summary>All SQL of the room.</summary>
internal static class MigrationsSql
{
    /// <summary>Drops a schema unless something of someone else is in it.</summary>
    public static string DropSchemaIfEmpty(string schema) => $"""
        do $efc$
        begin
            drop schema if exists {schema};
        exception when dependent_objects_still_exist or insufficient_privilege then
            null;
        end
        $efc$;
        """;

    /// <summary>What makes a table a partitioned one. Appended to its CREATE TABLE.</summary>
    public static string PartitionBy(string column) => $"partition by list ({column})";

    /// <summary>A partition may be there already: a table that lost its annotation and got it back.</summary>
    public static string CreatePartition(string table, string partition, int value, string storage) => string.Create(CultureInfo.InvariantCulture, $"""
        create table if not exists {partition} partition of {table} for values in ({value}){(storage.Length == 0 ? "" : $" with ({storage})")};
        """);
}
