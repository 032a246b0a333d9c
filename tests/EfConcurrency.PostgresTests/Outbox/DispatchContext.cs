using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

internal sealed class DispatchContext(DbContextOptions<DispatchContext> options) : DbContext(options)
{
    public const int Lanes = 4;

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasOutbox(o => o.Lanes = Lanes);
}

/// <summary>A database with an outbox. Each test has a sink of its own, which begins with what is enqueued after its start.</summary>
public sealed class DispatchDatabase(PostgresServer server) : DatabaseFixture(server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await CreateTablesAsync(ConnectionString);
    }

    public static async Task CreateTablesAsync(string connectionString)
    {
        await using var db = new DispatchContext(new DbContextOptionsBuilder<DispatchContext>().UseNpgsql(connectionString).UseEfConcurrency().Options);
        await db.Database.EnsureCreatedAsync(Token);
        await db.Database.ExecuteSqlRawAsync(
            """
            create function enqueue(key text, text text, lane int default null, due timestamptz default null) returns bigint language sql as
            $$ insert into efc.outbox (lane, message_id, key, topic, type, headers, payload, due_at)
               values (coalesce(lane, abs(hashtext(key)) % 4, 0), gen_random_uuid(), key, 'topic', 'text.v1', null, convert_to(text, 'utf8'), due) returning id $$
            """,
            Token);
    }
}
