namespace EfConcurrency.Tool.Database;

/// <summary>What is asked of every database, once it is connected.</summary>
internal static class DatabaseSql
{
    public const string Clock = "/* efconcurrency database.clock */ select clock_timestamp()";

    /// <summary>The tables of a schema, and whether the role may read them. By the catalogue: <c>to_regclass</c> fails where the role lacks the schema. Parameter: schema.</summary>
    public const string Tables = """
        /* efconcurrency database.tables */
        select c.relname::text, has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
        """;
}
