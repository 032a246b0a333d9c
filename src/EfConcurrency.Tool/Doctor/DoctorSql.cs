namespace EfConcurrency.Tool.Doctor;

/// <summary>What the checks ask. Lengths of time are in seconds.</summary>
internal static class DoctorSql
{
    /// <summary>The process id is the server's own word: a pooler makes up the one it tells its clients.</summary>
    public const string Server = """
        /* efconcurrency doctor.server */
        select pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', clock_timestamp(), pg_backend_pid()
        """;

    public const string Settings = """
        /* efconcurrency doctor.settings */
        select current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('autovacuum')
        """;

    /// <summary>Parameter: schema.</summary>
    public const string Rights = """
        /* efconcurrency doctor.rights */
        select current_user::text, pg_has_role(current_user, 'pg_read_all_stats', 'usage'), pg_has_role(current_user, 'pg_signal_backend', 'usage'),
            coalesce((select has_schema_privilege(n.oid, 'usage') from pg_namespace n where n.nspname = $1), true),
            coalesce((select has_schema_privilege(n.oid, 'create') from pg_namespace n where n.nspname = $1), true)
        """;

    /// <summary>Parameter: schema.</summary>
    public const string TableRights = """
        /* efconcurrency doctor.table-rights */
        select c.relname::text, has_table_privilege(c.oid, 'select'), has_table_privilege(c.oid, 'insert'), has_table_privilege(c.oid, 'update'), has_table_privilege(c.oid, 'delete')
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
        """;

    /// <summary>Columns of all tables of a schema. Parameter: schema.</summary>
    public const string Columns = """
        /* efconcurrency doctor.columns */
        select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
        where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
        """;

    /// <summary>Indexes of all tables of a schema, and whether they can be used. Parameter: schema.</summary>
    public const string Indexes = """
        /* efconcurrency doctor.indexes */
        select t.relname::text, x.relname::text, i.indisvalid
        from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
        where n.nspname = $1
        """;

    /// <summary>Parameter: schema.</summary>
    public const string Functions = """
        /* efconcurrency doctor.functions */
        select p.proname::text, p.prosrc, has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1
        """;

    public const string DisabledTriggers = """
        /* efconcurrency doctor.disabled-triggers */
        select t.tgrelid::regclass::text, t.tgname::text from pg_trigger t where t.tgname like 'efc\_fencing%' and t.tgenabled in ('D', 'R') order by 1, 2
        """;

    /// <summary>Parameters: schema, table.</summary>
    public const string Partitions = """
        /* efconcurrency doctor.partitions */
        select p.relname::text, pg_get_expr(p.relpartbound, p.oid)
        from pg_class t join pg_namespace n on n.oid = t.relnamespace join pg_inherits i on i.inhparent = t.oid join pg_class p on p.oid = i.inhrelid
        where n.nspname = $1 and t.relname = $2
        """;

    /// <summary>Sessions of this database that are in a transaction and do nothing. Parameter: for how long.</summary>
    public const string IdleInTransaction = """
        /* efconcurrency doctor.idle-in-transaction */
        select a.pid, a.application_name, extract(epoch from clock_timestamp() - a.state_change)::float8
        from pg_stat_activity a
        where a.datname = current_database() and a.state like 'idle in transaction%' and a.state_change < clock_timestamp() - make_interval(secs => $1) and a.pid <> pg_backend_pid()
        order by a.state_change
        """;

    /// <summary>Of all databases: transaction ids are the server's. Parameter: how old.</summary>
    public const string OldTransactions = """
        /* efconcurrency doctor.old-transactions */
        select a.pid, a.application_name, a.datname::text, extract(epoch from clock_timestamp() - a.xact_start)::float8
        from pg_stat_activity a
        where a.xact_start < clock_timestamp() - make_interval(secs => $1) and a.backend_type in ('client backend', 'background worker') and a.pid <> pg_backend_pid()
        order by a.xact_start
        """;

    /// <summary>Parameter: how old.</summary>
    public const string PreparedTransactions = """
        /* efconcurrency doctor.prepared-transactions */
        select p.gid, p.database::text, extract(epoch from clock_timestamp() - p.prepared)::float8 from pg_prepared_xacts p where p.prepared < clock_timestamp() - make_interval(secs => $1) order by p.prepared
        """;

    public const string IdleSlots = """
        /* efconcurrency doctor.idle-slots */
        select s.slot_name::text, s.xmin is not null or s.catalog_xmin is not null, pg_size_pretty(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, s.restart_lsn))
        from pg_replication_slots s where not s.active and s.restart_lsn is not null order by 1
        """;

    /// <summary>Parameter: schema.</summary>
    public const string DeadRows = """
        /* efconcurrency doctor.dead-rows */
        select s.relname::text, s.n_live_tup, s.n_dead_tup,
            exists (select from pg_options_to_table(c.reloptions) o where case when o.option_name = 'autovacuum_enabled' then not o.option_value::boolean end)
        from pg_stat_all_tables s join pg_class c on c.oid = s.relid where s.schemaname = $1 order by 1
        """;

    public const string TransactionIdAge = """
        /* efconcurrency doctor.xid-age */
        select d.datname::text, age(d.datfrozenxid)::bigint, mxid_age(d.datminmxid)::bigint from pg_database d order by greatest(age(d.datfrozenxid), mxid_age(d.datminmxid)) desc limit 1
        """;

    /// <summary>Whether cursors or messages come from another server: their transaction ids are yet to come here.</summary>
    public static string OutboxIsAhead(string log, string cursor) => $"""
        /* efconcurrency doctor.outbox-is-ahead */
        select exists (select from {cursor} where pg_snapshot_xmax(snap::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()))
            or exists (select from {log} where tx >= pg_snapshot_xmax(pg_current_snapshot()))
        """;

    /// <summary>
    /// The sinks that no dispatcher serves, when the partition of tomorrow still has messages that should be gone: 60 hours after the first of them
    /// was enqueued it has been another day's for half a day.
    /// </summary>
    public static string HeldBack(string log, string cursor, string owner) => $"""
        /* efconcurrency doctor.held-back */
        select array(select distinct c.sink from {cursor} c where not exists (select from {owner} o where o.sink = c.sink and o.live_until > clock_timestamp()) order by 1)
        where exists (select from {log} where slot = ((extract(epoch from now())::bigint / 86400 + 1) % 3)::smallint and created_at < now() - interval '60 hours')
        """;
}
