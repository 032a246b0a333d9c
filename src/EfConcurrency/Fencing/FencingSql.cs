using EfConcurrency.Postgres;

namespace EfConcurrency.Fencing;

/// <summary>All SQL of the room. <c>{0}</c>, <c>{1}</c> … stand for parameters.</summary>
internal static class FencingSql
{
    /// <summary>Function by which a transaction shows its tokens; without schema.</summary>
    public const string PresentFunction = "present_fencing_tokens";

    /// <summary>Function that raises for a trigger of one row; without schema.</summary>
    public const string RejectFunction = "reject_fencing_token";

    /// <summary>
    /// Finds the lease only if it is still the one that was acquired, and keeps it so until commit. FOR KEY SHARE lets renewals through and
    /// makes a takeover wait, because the token is part of a unique index: changing it is a key update.
    /// https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
    /// Parameters: the name, the token, the holder.
    /// </summary>
    public static string GuardLease(string tokenTable) =>
        $"/* efconcurrency fencing.guard-lease */ select 1 from {tokenTable} where {TokenTable.Name} = {{0}} and {TokenTable.Token} = {{1}} and {TokenTable.Holder} = {{2}} for key share";

    /// <summary>Shows all tokens in scope to the transaction; raises when one is stale. Parameter: the tokens as JSON.</summary>
    public static string Present(string function) => $"/* efconcurrency fencing.present */ select {function}({{0}})";

    /// <summary>The current token and holder of a resource. Parameter: the name.</summary>
    public static string ReadToken(string tokenTable) =>
        $"/* efconcurrency fencing.read-token */ select {TokenTable.Token}, {TokenTable.Holder}, {TokenTable.HolderInfo} from {tokenTable} where {TokenTable.Name} = {{0}}";

    /// <summary>The token in a row. Parameters: the key.</summary>
    public static string ReadRowToken(PropertyTable table) =>
        $"/* efconcurrency fencing.read-row-token */ select {table.Column} from {table.Name} where {string.Join(" and ", table.Keys.Select((key, i) => $"{key} = {{{i}}}"))}";

    /// <summary>
    /// What every trigger and every presented token is judged by. The tokens travel in a setting of the transaction (a name with a dot
    /// needs no declaration). SECURITY DEFINER because a row lock needs the right to update the lease table, which a writer of fenced rows
    /// need not have. The facts travel in fields of the error: Npgsql hides DETAIL unless the connection string asks for it.
    /// </summary>
    public static string CreateFunctions(string schema, string tokenTable) => $$"""
        create schema if not exists {{schema}};
        grant usage on schema {{schema}} to public;

        create or replace function {{schema}}.present_fencing_token(resource text, token bigint, holder uuid default null) returns boolean
        language plpgsql security definer set search_path = pg_catalog, pg_temp as $efc$
        declare
            lease record;
        begin
            select l.fencing_token, l.holder, l.holder_info, l.expires_at into lease from {{tokenTable}} l where l.name = resource for key share;
            if not found and holder is null then
                -- A token from elsewhere: its first use registers it, so that an older one is refused for every row from then on.
                insert into {{tokenTable}} (name, fencing_token, holder_info, expires_at) values (resource, token, 'a token from elsewhere', 'infinity')
                on conflict do nothing;
                select l.fencing_token, l.holder, l.holder_info, l.expires_at into lease from {{tokenTable}} l where l.name = resource for key share;
            elsif holder is null and lease.expires_at = 'infinity' and lease.fencing_token < token then
                update {{tokenTable}} l set fencing_token = token where l.name = resource and l.fencing_token < token;
                select l.fencing_token, l.holder, l.holder_info, l.expires_at into lease from {{tokenTable}} l where l.name = resource for key share;
            end if;
            if lease.fencing_token is distinct from token or (holder is not null and lease.holder is distinct from holder) then
                raise exception 'efconcurrency: fencing token % of "%" is stale, the current one is %', token, resource, lease.fencing_token
                    using errcode = '{{SqlStates.FencingTokenRejected}}', constraint = resource, column = token::text,
                        datatype = coalesce(lease.fencing_token::text, ''), hint = coalesce(lease.holder_info, '');
            end if;
            perform set_config('efc.fencing_tokens',
                (coalesce(nullif(current_setting('efc.fencing_tokens', true), '')::jsonb, '{}') || jsonb_build_object(resource, token))::text, true);
            return true;
        end
        $efc$;

        create or replace function {{schema}}.{{PresentFunction}}(tokens text) returns boolean
        language plpgsql security definer set search_path = pg_catalog, pg_temp as $efc$
        begin
            perform {{schema}}.present_fencing_token(t.resource, t.token, t.holder)
            from jsonb_to_recordset(tokens::jsonb) as t(resource text, token bigint, holder uuid) order by t.resource;
            return true;
        end
        $efc$;

        create or replace function {{schema}}.require_fencing_token(resource text, seen bigint) returns void
        language plpgsql security definer set search_path = pg_catalog, pg_temp as $efc$
        declare
            presented bigint := nullif(current_setting('efc.fencing_tokens', true), '')::jsonb ->> resource;
        begin
            if presented is null then
                raise exception 'efconcurrency: rows fenced by "%" were written without a fencing token', resource
                    using errcode = '{{SqlStates.FencingTokenRequired}}', constraint = resource,
                        hint = 'In the same transaction, call select {{schema.Replace("'", "''", StringComparison.Ordinal)}}.present_fencing_token(resource, token) first.';
            end if;
            -- Once more: a setting can be left over from another transaction of the session, the lock of the lease can not.
            perform 1 from {{tokenTable}} l where l.name = resource and l.fencing_token = presented for key share;
            if not found then
                perform {{schema}}.present_fencing_token(resource, presented); -- which raises
            end if;
            if presented < seen then
                raise exception 'efconcurrency: fencing token % of "%" is stale, a row carries %', presented, resource, seen
                    using errcode = '{{SqlStates.FencingTokenRejected}}', constraint = resource, column = presented::text, datatype = seen::text;
            end if;
        end
        $efc$;
        """;

    /// <summary>Raises for a row whose token was to be lowered. Needs no lease table.</summary>
    public static string CreateRejectFunction(string schema) => $"""
        create schema if not exists {schema};
        grant usage on schema {schema} to public;
        create or replace function {schema}.{RejectFunction}() returns trigger
        language plpgsql set search_path = pg_catalog, pg_temp as $efc$
        declare
            token text := to_jsonb(new) ->> tg_argv[1];
            seen text := to_jsonb(old) ->> tg_argv[1];
        begin
            raise exception 'efconcurrency: fencing token % of "%" is stale, a row of "%" carries %', token, tg_argv[0], tg_table_name, seen
                using errcode = '{SqlStates.FencingTokenRejected}', constraint = tg_argv[0], column = token, datatype = seen;
        end
        $efc$;
        """;

    /// <summary>Drops the functions, and their schema when nothing else is in it. Triggers that use them are gone by then.</summary>
    public static string DropFunctions(string schema) => $"""
        drop function if exists {schema}.require_fencing_token(text, bigint);
        drop function if exists {schema}.{PresentFunction}(text);
        drop function if exists {schema}.present_fencing_token(text, bigint, uuid);
        """;

    /// <summary>Drops the function of the plain triggers.</summary>
    public static string DropRejectFunction(string schema) => $"drop function if exists {schema}.{RejectFunction}() cascade;";
}
