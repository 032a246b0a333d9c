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
}
