using EfConcurrency.Idempotency;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>The table comes with the model, wherever the model says.</summary>
public sealed class TableTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static readonly string[] Modes = Enum.GetNames<IdempotencyMode>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("efc", false)]
    [InlineData("efc", true)]
    [InlineData("My App", true)]
    public async Task Every_mode_works_on_the_table_that_EnsureCreated_or_a_migration_made(string schema, bool migrates)
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var db = Open(own.ConnectionString, schema);
        if (migrates)
        {
            var operations = db.GetService<IMigrationsModelDiffer>().GetDifferences(null, db.GetService<IDesignTimeModel>().Model.GetRelationalModel());
            var commands = db.GetService<IMigrationsSqlGenerator>().Generate(operations, db.GetService<IDesignTimeModel>().Model);
            await db.GetService<IMigrationCommandExecutor>().ExecuteNonQueryAsync(commands, db.GetService<Microsoft.EntityFrameworkCore.Storage.IRelationalConnection>(), Token);
        }
        else
        {
            await db.Database.EnsureCreatedAsync(Token);
        }

        foreach (var mode in Modes.Select(Enum.Parse<IdempotencyMode>))
        {
            var key = new IdempotencyKey("tests", mode.ToString());
            Assert.False((await RunAsync(db, key, mode)).IsReplay);
            Assert.True((await RunAsync(db, key, mode)).IsReplay);
            Assert.Equal(IdempotencyState.Completed, (await db.Idempotency().FindAsync(key, Token))!.State);
        }

        Assert.Equal(3, await db.Set<IdempotencyRecord>().CountAsync(r => r.State == IdempotencyState.Completed, Token));
        Assert.Equal("C", await ScalarAsync(own.ConnectionString, "select min(collation_name) from information_schema.columns where table_name = 'keys' and column_name in ('scope', 'key')"));
        Assert.Equal("{fillfactor=80}", await ScalarAsync(own.ConnectionString, "select reloptions::text from pg_class where relname = 'keys'"));
        Assert.Equal(3L, await ScalarAsync(own.ConnectionString, "select count(*) from pg_constraint where contype = 'c' and conrelid = (select oid from pg_class where relname = 'keys')"));
    }

    [Fact]
    public async Task Without_HasIdempotencyKeys_or_without_its_table_the_error_names_the_way_out()
    {
        await using var empty = await database.CreateDatabaseAsync();
        await using var without = new WithoutKeys(new DbContextOptionsBuilder<WithoutKeys>().UseNpgsql(empty.ConnectionString).UseEfConcurrency().Options);
        var missing = await Assert.ThrowsAsync<IdempotencyTableMissingException>(
            () => without.ExecuteIdempotentlyAsync(new("s", "k"), 1, (_, _) => Task.FromResult(1), cancellationToken: Token));
        Assert.Contains("HasIdempotencyKeys()", missing.Message, StringComparison.Ordinal);

        await using var db = Open(empty.ConnectionString, "efc");
        foreach (var mode in Modes.Select(Enum.Parse<IdempotencyMode>))
        {
            missing = await Assert.ThrowsAsync<IdempotencyTableMissingException>(() => RunAsync(db, new("s", "k"), mode));
            Assert.Contains("migration", missing.Message, StringComparison.Ordinal);
            Assert.Equal("efc.keys", missing.Table);
        }

        await Assert.ThrowsAsync<IdempotencyTableMissingException>(() => db.Idempotency().DeleteExpiredAsync(Token));
    }

    [Fact]
    public async Task Without_UseEfConcurrency_the_error_says_so()
    {
        await using var db = new KeysContext(new DbContextOptionsBuilder<KeysContext>().UseNpgsql(database.ConnectionString).Options, "efc");
        var missing = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(db, new("s", "k"), IdempotencyMode.SameTransaction));
        Assert.Contains("UseEfConcurrency()", missing.Message, StringComparison.Ordinal);
    }

    private static Task<IdempotencyOutcome<int>> RunAsync(KeysContext db, IdempotencyKey key, IdempotencyMode mode)
        => db.ExecuteIdempotentlyAsync(key, 1, (_, _) => Task.FromResult(1), new() { Mode = mode }, Token);

    private static KeysContext Open(string connectionString, string schema)
        => new(new DbContextOptionsBuilder<KeysContext>().UseNpgsql(connectionString).UseEfConcurrency().ReplaceService<IModelCacheKeyFactory, KeysModelCache>().Options, schema);

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Token);
    }

    private sealed class KeysContext(DbContextOptions<KeysContext> options, string schema) : DbContext(options)
    {
        public string Schema => schema;

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.HasIdempotencyKeys(o =>
            {
                o.Schema = schema;
                o.Table = "keys";
            });
    }

    private sealed class KeysModelCache : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => (context.GetType(), (context as KeysContext)?.Schema, designTime);
    }

    private sealed class WithoutKeys(DbContextOptions<WithoutKeys> options) : DbContext(options);
}
