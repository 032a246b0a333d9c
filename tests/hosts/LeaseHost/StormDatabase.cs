using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace LeaseHost;

/// <summary>The tables of the storm, and a log of what happened in the order in which the database let it happen.</summary>
internal static class StormDatabase
{
    /// <summary>So many are written by all.</summary>
    public const int Registers = 4;

    /// <summary>And each contender has one of its own.</summary>
    private const int Contenders = 8;

    /// <summary>
    /// A write is logged by its own transaction, which holds the lease row; a new token by the one that changes that row, which has waited for
    /// such writes. So the numbers are in the order of the commits.
    /// </summary>
    private const string Log = """
        create table event (id bigint generated always as identity primary key, kind text not null, name text not null, token bigint not null, holder text);
        create function log_lease() returns trigger language plpgsql as $f$
        begin
            if tg_op = 'INSERT' or new.fencing_token <> old.fencing_token then
                insert into event (kind, name, token, holder) values (case when new.holder is null then 'forced' else 'acquired' end, new.name, new.fencing_token, new.holder_info);
            end if;
            return null;
        end $f$;
        create trigger log_lease after insert or update on efc.lease for each row execute function log_lease();
        create function log_write() returns trigger language plpgsql as $f$
        begin
            insert into event (kind, name, token) values ('wrote', 'register:' || new."Id", (nullif(current_setting('efc.fencing_tokens', true), '')::jsonb ->> ('register:' || new."Id"))::bigint);
            return null;
        end $f$;
        create trigger log_write after update on "Registers" for each row execute function log_write();
        """;

    public static int RegisterOf(string contender) => Registers + 1 + int.Parse(contender, CultureInfo.InvariantCulture);

    public static async Task PrepareAsync(string connectionString)
    {
        await using var db = new StormContext(StormContext.Options(connectionString));
        await db.Database.EnsureCreatedAsync();
        for (var id = 1; id <= Registers + Contenders; id++)
        {
            await using var lease = await db.Leases().AcquireAsync($"register:{id}", TimeSpan.Zero);
            using var scope = db.UseLease(lease);
            db.Add(new Register { Id = id });
            await db.SaveChangesAsync();
        }

        await db.Database.ExecuteSqlRawAsync(Log.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal));
    }
}
