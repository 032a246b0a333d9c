using System.Globalization;
using System.Text;

namespace EfConcurrency.WriteEnvelope;

/// <summary>All SQL of the room.</summary>
internal static class WriteEnvelopeSql
{
    /// <summary>Name of the guard function, without schema.</summary>
    public const string GuardFunction = "require_row";

    /// <summary>Prefix of the CONSTRAINT field in which the guard function reports the position of the refused statement.</summary>
    public const string RefusedStatement = "efc_statement_";

    /// <summary>
    /// Creates the guard function. PL/pgSQL because only it can raise. The position travels in the CONSTRAINT field:
    /// Npgsql hides DETAIL unless the connection string asks for it.
    /// https://www.postgresql.org/docs/current/plpgsql-errors-and-messages.html
    /// </summary>
    public static string CreateGuardFunction(string schema) => $"""
        create schema if not exists {schema};
        grant usage on schema {schema} to public;
        create or replace function {schema}.{GuardFunction}(row_count bigint, statement integer) returns void
        language plpgsql as $efc$
        begin
            if row_count <> 1 then
                raise exception 'efconcurrency: statement % matched % rows, expected 1', statement, row_count
                    using errcode = 'EFC02', constraint = '{RefusedStatement}' || statement;
            end if;
        end
        $efc$;
        """;

    /// <summary>Drops the guard function.</summary>
    public static string DropGuardFunction(string schema) => $"drop function if exists {schema}.{GuardFunction}(bigint, integer);";

    /// <summary>Whether the guard function is there and this role may call it.</summary>
    public const string ProbeGuardFunction = """
        /* efconcurrency envelope.probe-guard-function */
        select coalesce(
            (select has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
             from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
             where n.nspname = @schema and p.proname = @name
               and pg_catalog.oidvectortypes(p.proargtypes) = 'bigint, integer'),
            false)
        """;

    /// <summary>Stands before a statement whose row count the server judges.</summary>
    public const string JudgeBegin = "with judged as (";

    /// <summary>
    /// Stands behind it: raises unless the statement wrote exactly one row. The function stands on the left of the join, so it is called
    /// even when the statement returned nothing.
    /// </summary>
    public static void AppendJudgeEnd(StringBuilder sql, bool returnsColumns, string schema, int position)
    {
        sql.Append(") select ").Append(returnsColumns ? "judged.* from " : "");
        sql.Append(schema).Append('.').Append(GuardFunction).Append("((select count(*) from judged), ").Append(CultureInfo.InvariantCulture, $"{position}").Append(')');
        sql.Append(returnsColumns ? " left join judged on true" : "");
    }
}
