namespace EfConcurrency.Fencing;

/// <summary>The SQL of triggers, which only migrations run.</summary>
internal static class FencingTriggerSql
{
    /// <summary>
    /// Refuses to lower the token. The comparison stands in WHEN, so that a write that is in order never calls a function.
    /// https://www.postgresql.org/docs/current/sql-createtrigger.html
    /// </summary>
    public static string CreatePlain(string table, string schema, string token, string resource, string column) => $"""
        create trigger efc_fencing before update on {table} for each row when (new.{token} < old.{token})
            execute function {schema}.{FencingSql.RejectFunction}({resource}, {column});

        """;

    /// <summary>
    /// Once for each statement, whatever its number of rows, and after it: ExecuteUpdate shows its tokens while it runs. The tables of
    /// old and new rows exist for one event each, hence three triggers.
    /// </summary>
    public static string CreateStrict(string table, string schema, string function, string resource, string? token)
    {
        var rows = $"select {resource} as resource, {(token is null ? "0" : $"w.{token}")} as token from";
        return $"""
            create or replace function {schema}.{function}() returns trigger
            language plpgsql security definer set search_path = pg_catalog, pg_temp as $efc$
            begin
                if tg_op = 'UPDATE' then
                    perform {schema}.require_fencing_token(r.resource, max(r.token)) from ({rows} written w union all {rows} rewritten w) r group by r.resource;
                else
                    perform {schema}.require_fencing_token(r.resource, max(r.token)) from ({rows} written w) r group by r.resource;
                end if;
                return null;
            end
            $efc$;
            create trigger efc_fencing_insert after insert on {table} referencing new table as written
                for each statement execute function {schema}.{function}();
            create trigger efc_fencing_update after update on {table} referencing old table as written new table as rewritten
                for each statement execute function {schema}.{function}();
            create trigger efc_fencing_delete after delete on {table} referencing old table as written
                for each statement execute function {schema}.{function}();
            """;
    }

    /// <summary>Drops the triggers of a table, of either kind.</summary>
    public static string Drop(string table) => $"""
        drop trigger if exists efc_fencing on {table};
        drop trigger if exists efc_fencing_insert on {table};
        drop trigger if exists efc_fencing_update on {table};
        drop trigger if exists efc_fencing_delete on {table};
        """;

    /// <summary>Drops the function of a strict trigger.</summary>
    public static string DropStrictFunction(string schema, string function) => $"drop function if exists {schema}.{function}() cascade;";
}
