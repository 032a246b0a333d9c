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

    /// <summary>Parameter: how many.</summary>
    public static string List(string schema)
        => $"/* efconcurrency audit.list */ SELECT at, role, operator, verb, target, reason, outcome, detail FROM {TableName(schema)} ORDER BY id DESC LIMIT $1";

    /// <summary>For an owner of the schema, by psql: the table, and what a role needs for all verbs. Rooms that the application does not use have no table, and no grant.</summary>
    public static string Ddl(string schema, string role)
        => $"""
            {Create(schema)};

            -- Operators write what they do and read what others did; they can't change who, what, when and why, nor delete it.
            GRANT USAGE ON SCHEMA {SqlName.Of(schema)} TO {SqlName.Of(role)};
            GRANT SELECT, INSERT, UPDATE (outcome, detail) ON {TableName(schema)} TO {SqlName.Of(role)};

            -- Everything that efc shows, and what it changes.
            DO $efc$
            DECLARE
                room record;
            BEGIN
                FOR room IN
                    SELECT * FROM (VALUES
                        ('lease', 'SELECT, INSERT, UPDATE'),
                        ('job_slot', 'SELECT, INSERT, UPDATE'),
                        ('outbox', 'SELECT'),
                        ('outbox_cursor', 'SELECT'),
                        ('outbox_owner', 'SELECT'),
                        ('outbox_pending', 'SELECT, UPDATE, DELETE'),
                        ('inbox', 'SELECT'),
                        ('idempotency_key', 'SELECT, UPDATE, DELETE'),
                        ('advisory_lock_name', 'SELECT')) r (name, rights)
                    WHERE to_regclass(format('%I.%I', {Literal(schema)}, r.name)) IS NOT NULL
                LOOP
                    EXECUTE format('GRANT %s ON %I.%I TO %I', room.rights, {Literal(schema)}, room.name, {Literal(role)});
                END LOOP;
            END
            $efc$;

            -- 'efc locks' and 'efc top' see other roles' sessions, and 'efc locks release' ends them, only with these. A superuser grants them.
            -- GRANT pg_monitor, pg_signal_backend TO {SqlName.Of(role)};
            """;

    /// <summary>In the body of a DO block, which takes no parameters.</summary>
    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
