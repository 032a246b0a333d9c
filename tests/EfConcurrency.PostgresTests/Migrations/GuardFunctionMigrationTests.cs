using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace EfConcurrency.PostgresTests.Migrations;

/// <summary>The guard function comes and goes with the model, through EF's own differ.</summary>
public sealed class GuardFunctionMigrationTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Up_down_and_up_again_leave_nothing_behind()
    {
        await using var db = Open<VersionedContext>(await database.CreateDatabaseAsync());
        foreach (var up in (bool[])[true, false, true, false])
        {
            await MigrateAsync(db, up ? null : db.GetService<IDesignTimeModel>().Model, up ? db.GetService<IDesignTimeModel>().Model : null);
            Assert.Equal(up, await HasFunctionAsync(db, "efc"));
            Assert.Equal(up, await ScalarAsync(db, "select exists (select from pg_namespace where nspname = 'efc')"));
        }
    }

    [Fact]
    public async Task A_schema_of_ones_own_is_used_quoted_and_moved()
    {
        await using var one = Open<VersionedContext>(await database.CreateDatabaseAsync(), schema: "My App");
        await MigrateAsync(one, null, one.GetService<IDesignTimeModel>().Model);
        Assert.True(await HasFunctionAsync(one, "My App"));

        await using var two = new VersionedContext(Options<VersionedContext>(one.Database.GetConnectionString()!, "efc"));
        await MigrateAsync(two, one.GetService<IDesignTimeModel>().Model, two.GetService<IDesignTimeModel>().Model);
        Assert.False(await HasFunctionAsync(two, "My App"));
        Assert.True(await HasFunctionAsync(two, "efc"));
    }

    [Fact]
    public async Task A_schema_in_which_something_else_lives_is_left()
    {
        await using var db = Open<VersionedContext>(await database.CreateDatabaseAsync());
        var model = db.GetService<IDesignTimeModel>().Model;
        await MigrateAsync(db, null, model);
        await db.Database.ExecuteSqlRawAsync("create table efc.mine ()", Token);
        await MigrateAsync(db, model, null);
        Assert.False(await HasFunctionAsync(db, "efc"));
        Assert.True(await ScalarAsync(db, "select to_regclass('efc.mine') is not null"));
    }

    [Fact]
    public async Task EnsureCreated_makes_it_and_a_model_without_versions_does_not_ask_for_it()
    {
        await using var versioned = Open<VersionedContext>(await database.CreateDatabaseAsync());
        await versioned.Database.EnsureCreatedAsync(Token);
        Assert.True(await HasFunctionAsync(versioned, "efc"));

        await using var plain = Open<PlainContext>(await database.CreateDatabaseAsync());
        await plain.Database.EnsureCreatedAsync(Token);
        Assert.False(await HasFunctionAsync(plain, "efc"));
    }

    [Fact]
    public async Task It_is_not_asked_for_when_saves_are_never_judged_by_the_server()
    {
        var own = await database.CreateDatabaseAsync();
        await using var db = new VersionedContext(new DbContextOptionsBuilder<VersionedContext>().UseNpgsql(own.ConnectionString)
            .UseEfConcurrency(o => o.UseServerJudgedSaves(ServerJudgedSaves.Never)).Options);
        await db.Database.EnsureCreatedAsync(Token);
        Assert.False(await HasFunctionAsync(db, "efc"));
        await own.DisposeAsync();
    }

    [Fact]
    public async Task The_history_table_of_migrations_is_not_touched_by_our_conventions()
    {
        await using var db = Open<VersionedContext>(await database.CreateDatabaseAsync());
        await db.Database.MigrateAsync(Token); // no migrations: creates the history table only
        Assert.False(await HasFunctionAsync(db, "efc"));
    }

    private static async Task MigrateAsync(DbContext db, IModel? from, IModel? to)
    {
        var operations = db.GetService<IMigrationsModelDiffer>().GetDifferences(from?.GetRelationalModel(), to?.GetRelationalModel());
        foreach (var command in db.GetService<IMigrationsSqlGenerator>().Generate(operations, to))
        {
            await db.Database.ExecuteSqlRawAsync(command.CommandText.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal), Token);
        }
    }

    private static Task<bool> HasFunctionAsync(DbContext db, string schema)
        => ScalarAsync(db, $"select exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = '{schema}' and p.proname = 'require_row')");

    private static async Task<bool> ScalarAsync(DbContext db, string sql)
    {
        await using var connection = new NpgsqlConnection(db.Database.GetConnectionString());
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        return (bool)(await command.ExecuteScalarAsync(Token))!;
    }

    private static TContext Open<TContext>(TestDatabase own, string schema = "efc")
        where TContext : DbContext
        => (TContext)Activator.CreateInstance(typeof(TContext), Options<TContext>(own.ConnectionString, schema))!;

    private static DbContextOptions<TContext> Options<TContext>(string connectionString, string schema)
        where TContext : DbContext
        => new DbContextOptionsBuilder<TContext>().UseNpgsql(connectionString).UseEfConcurrency(o => o.UseSchema(schema))
            .ConfigureWarnings(w => w.Ignore(Microsoft.EntityFrameworkCore.Diagnostics.RelationalEventId.PendingModelChangesWarning)).Options;

    public sealed class VersionedContext(DbContextOptions<VersionedContext> options) : DbContext(options)
    {
        public DbSet<Row> Rows => Set<Row>();
    }

    public sealed class PlainContext(DbContextOptions<PlainContext> options) : DbContext(options)
    {
        public DbSet<PlainRow> Rows => Set<PlainRow>();
    }

    public sealed class Row : IVersioned
    {
        public int Id { get; set; }

        public long Version { get; private set; }
    }

    public sealed class PlainRow
    {
        public int Id { get; set; }
    }
}
