using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Audit;

/// <summary>Statements of the audit table.</summary>
internal static class AuditSql
{
    public const string Exists = "/* efconcurrency audit.exists */ SELECT to_regclass($1) IS NOT NULL";

    public static string TableName(string schema) => SqlName.Of(schema, AuditTable.Name);

    public static string Create(string schema)
        => $"""
            /* efconcurrency audit.create */
            CREATE TABLE IF NOT EXISTS {TableName(schema)} (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                at timestamptz NOT NULL DEFAULT clock_timestamp(),
                role text NOT NULL DEFAULT session_user,
                operator text NOT NULL,
                verb text NOT NULL,
                target text NOT NULL,
                reason text NOT NULL,
                outcome text NOT NULL DEFAULT 'begun',
                detail text
            )
            """;

    public static string Insert(string schema)
        => $"/* efconcurrency audit.begin */ INSERT INTO {TableName(schema)} (operator, verb, target, reason) VALUES ($1, $2, $3, $4) RETURNING id";

    public static string End(string schema)
        => $"/* efconcurrency audit.end */ UPDATE {TableName(schema)} SET outcome = $2, detail = $3 WHERE id = $1";
}
