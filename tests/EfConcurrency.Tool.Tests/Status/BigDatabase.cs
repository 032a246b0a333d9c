using EfConcurrency.Testing;
using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Status;

/// <summary>A database with a past: 10,000 leases, and a log of which nearly everything is delivered.</summary>
public sealed class BigDatabase(PostgresServer server) : ToolDatabase(server)
{
    public const int Undelivered = 300;

    private const int Delivered = 200_000;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await ExecuteAsync("insert into efc.lease (name, fencing_token, holder, expires_at) select 'lease:' || i, i, gen_random_uuid(), now() + interval '1 day' from generate_series(1, 10000) i");
        await ExecuteAsync(Messages(Delivered));
        await ExecuteAsync("insert into efc.outbox_cursor (sink, lane, snap) select 'mail', l, pg_current_snapshot()::text from generate_series(0, 15) l");
        await ExecuteAsync("insert into efc.outbox_owner (sink, owner, name, capacity, live_until) values ('mail', 'a', 'host/1', 16, now() + interval '1 hour')");
        await ExecuteAsync(Messages(Undelivered));
        await ExecuteAsync("analyze");
    }

    public FaultProxy StartProxy() => FaultProxy.Start(ConnectionString);

    private static string Messages(int count)
        => $"insert into efc.outbox (lane, message_id, topic, type, payload, created_at) select i % 16, gen_random_uuid(), 't', 'order-placed', '', now() - interval '5 min' from generate_series(1, {count}) i";
}
