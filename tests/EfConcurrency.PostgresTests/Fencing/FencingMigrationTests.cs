using EfConcurrency.Infrastructure;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>Triggers, their functions and the lease table come, change and go with the model, through EF's own differ.</summary>
public sealed class FencingMigrationTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private const string Triggers = "select count(*) from pg_trigger where tgname like 'efc_%' and not tgisinternal";
    private const string Functions = "select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'efc'";
    private const string Objects = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('efc', 'public')";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Up_down_and_up_again_leave_nothing_behind()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var db = Open(own, Strict);
        foreach (var up in (bool[])[true, false, true, false])
        {
            await MigrateAsync(db, up ? null : Model(db), up ? Model(db) : null);
            Assert.Equal(up ? 4 : 0, await CountAsync(own, Triggers));
            Assert.Equal(up ? 6 : 0, await CountAsync(own, Functions));
            Assert.Equal(up, await CountAsync(own, Objects) > 0);
            Assert.Equal(up ? 1 : 0, await CountAsync(own, "select count(*) from pg_namespace where nspname = 'efc'"));
        }
    }

    /// <summary>From each shape to each other, and every time the database is as if it had been made so.</summary>
    [Fact]
    public async Task Every_change_of_the_declaration_ends_in_what_it_says()
    {
        Action<ModelBuilder>[] shapes = [Unfenced, Fenced, Plain, Strict, StrictPerRow, StrictWithoutColumn, OtherResource, OtherColumn, OtherTable, OtherTablePlain];
        await using var own = await database.CreateDatabaseAsync();
        var contexts = shapes.Select(s => (s.Method.Name, Db: Open(own, s))).ToList();
        var expected = new Dictionary<string, string>();
        foreach (var (name, db) in contexts)
        {
            await MigrateAsync(db, null, Model(db));
            expected[name] = await DescribeAsync(own);
            await MigrateAsync(db, Model(db), null);
            Assert.Equal("", await DescribeAsync(own));
        }

        foreach (var (from, before) in contexts)
        {
            foreach (var (to, after) in contexts.Where(c => c.Name != from))
            {
                await MigrateAsync(before, null, Model(before));
                await MigrateAsync(after, Model(before), Model(after));
                Assert.Equal((from, to, expected[to]), (from, to, await DescribeAsync(own)));
                await MigrateAsync(after, Model(after), null);
            }
        }

        contexts.ForEach(c => c.Db.Dispose());
    }

    [Fact]
    public async Task A_model_that_did_not_change_needs_no_migration()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var one = Open(own, StrictPerRow);
        await using var two = Open(own, StrictPerRow);
        Assert.Empty(one.GetService<IMigrationsModelDiffer>().GetDifferences(Model(one).GetRelationalModel(), Model(two).GetRelationalModel()));
    }

    [Fact]
    public async Task EnsureCreated_makes_them_in_a_schema_of_ones_own_too()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var db = Open(own, model => Strict(model, o => o.Schema = "My Leases"), o => o.UseSchema("My App"));
        await db.Database.EnsureCreatedAsync(Token);
        await using var lease = (await db.Leases().TryAcquireAsync("s", cancellationToken: Token)).Lease!;
        using var scope = db.UseLease(lease);
        db.Add(new Strict());
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, await db.Set<Strict>().ExecuteUpdateAsync(s => s.SetProperty(x => x.Total, 4), Token));
        Assert.Equal(0, await CountAsync(own, "select count(*) from pg_namespace where nspname = 'efc'"));
    }

    [Fact]
    public async Task A_name_too_long_for_an_identifier_still_gets_a_function_of_its_own()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var db = Open(own, model =>
        {
            model.HasLeases();
            model.Entity<Strict>().ToTable(new string('t', 60) + "1").FencedBy("s").HasFencingToken(s => s.FencingToken).HasFencingTrigger(strict: true);
            model.Entity<Page>().ToTable(new string('t', 60) + "2").FencedBy("s").HasFencingTrigger(strict: true);
        });
        await db.Database.EnsureCreatedAsync(Token);
        Assert.Equal(2, await CountAsync(own, "select count(*) from pg_proc where proname like 'require_fencing_token_public_t%'"));
    }

    private static void Unfenced(ModelBuilder model) => model.Entity<Strict>();

    private static void Fenced(ModelBuilder model) => model.HasLeases().Entity<Strict>().FencedBy("s").HasFencingToken(s => s.FencingToken);

    private static void Plain(ModelBuilder model) => model.Entity<Strict>().FencedBy("s").HasFencingToken(s => s.FencingToken).HasFencingTrigger();

    private static void Strict(ModelBuilder model) => Strict(model, null);

    private static void Strict(ModelBuilder model, Action<EfConcurrency.Leases.LeaseTableOptions>? configure)
        => model.HasLeases(configure).Entity<Strict>().FencedBy("s").HasFencingToken(s => s.FencingToken).HasFencingTrigger(strict: true);

    private static void StrictPerRow(ModelBuilder model)
        => model.HasLeases().Entity<Strict>().FencedBy(s => "s:" + s.Id).HasFencingToken(s => s.FencingToken).HasFencingTrigger(strict: true);

    private static void StrictWithoutColumn(ModelBuilder model)
        => model.HasLeases().Entity<Strict>(s => s.FencedBy("s").HasFencingTrigger(strict: true).Ignore(x => x.FencingToken));

    private static void OtherResource(ModelBuilder model)
        => model.HasLeases().Entity<Strict>().FencedBy("it's another").HasFencingToken(s => s.FencingToken).HasFencingTrigger(strict: true);

    private static void OtherColumn(ModelBuilder model)
        => model.HasLeases().Entity<Strict>(s => s.FencedBy("s").HasFencingToken(x => x.FencingToken).HasFencingTrigger(strict: true).Property(x => x.FencingToken).HasColumnName("fence"));

    private static void OtherTable(ModelBuilder model)
        => model.HasLeases().Entity<Strict>(s => s.ToTable("Moved", "elsewhere").FencedBy("s").HasFencingToken(x => x.FencingToken).HasFencingTrigger(strict: true));

    private static void OtherTablePlain(ModelBuilder model)
        => model.Entity<Strict>(s => s.ToTable("Renamed").FencedBy("s").HasFencingToken(x => x.FencingToken).HasFencingTrigger());

    private static IModel Model(DbContext db) => db.GetService<IDesignTimeModel>().Model;

    private static async Task MigrateAsync(DbContext db, IModel? from, IModel? to)
    {
        IReadOnlyList<MigrationOperation> operations = db.GetService<IMigrationsModelDiffer>().GetDifferences(from?.GetRelationalModel(), to?.GetRelationalModel());
        foreach (var command in db.GetService<IMigrationsSqlGenerator>().Generate(operations, to))
        {
            await ExecuteAsync(db.Database.GetConnectionString()!, command.CommandText);
        }
    }

    /// <summary>Triggers with their definitions, functions with their bodies, tables: in one text.</summary>
    private static async Task<string> DescribeAsync(TestDatabase own)
        => (string)(await ExecuteAsync(own.ConnectionString, """
            select coalesce(string_agg(d, E'\n' order by d), '') from (
                select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
                union all select pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'efc'
                union all select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('efc', 'public', 'elsewhere') and c.relkind = 'r'
                union all select nspname from pg_namespace where nspname = 'efc') x(d)
            """))!;

    private static async Task<long> CountAsync(TestDatabase own, string sql) => (long)(await ExecuteAsync(own.ConnectionString, sql))!;

    private static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Token);
    }

    private static ShapedContext Open(TestDatabase own, Action<ModelBuilder> shape, Action<EfConcurrencyOptionsBuilder>? configure = null)
        => new(new DbContextOptionsBuilder<ShapedContext>().UseNpgsql(own.ConnectionString).UseEfConcurrency(configure)
            .ReplaceService<IModelCacheKeyFactory, NoCache>().Options, shape);

    private sealed class ShapedContext(DbContextOptions<ShapedContext> options, Action<ModelBuilder> shape) : DbContext(options)
    {
        /// <summary>A schema by name: EF does not move a table back to the default one.</summary>
        protected override void OnModelCreating(ModelBuilder modelBuilder) => shape(modelBuilder.HasDefaultSchema("public"));
    }

    private sealed class NoCache : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => (context, designTime);
    }
}
