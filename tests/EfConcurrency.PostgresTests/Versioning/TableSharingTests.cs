using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>Two entities in one row (table splitting): the row has one version.</summary>
public sealed class TableSharingTests(TableSharingTests.Database database) : IClassFixture<TableSharingTests.Database>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_of_either_entity_raises_the_version_of_the_row_for_both()
    {
        var id = await AddAsync();
        await using var db = database.Open();
        var order = await db.Orders.Include(o => o.Details).SingleAsync(o => o.Id == id, Token);

        order.Details!.Text = "one";
        await db.SaveChangesAsync(Token);
        order.Name = "two";
        await db.SaveChangesAsync(Token);
        order.Details.Text = "three";
        await db.SaveChangesAsync(Token);

        Assert.Equal(4, order.Version);
        Assert.Equal(4L, await database.ScalarAsync<long>($"select \"Version\" from \"Orders\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task A_change_of_one_entity_is_noticed_by_who_has_read_the_other()
    {
        var id = await AddAsync();
        await using var stale = database.Open();
        var mine = await stale.Orders.SingleAsync(o => o.Id == id, Token);
        await using (var db = database.Open())
        {
            (await db.Set<Details>().SingleAsync(d => d.Id == id, Token)).Text = "theirs";
            await db.SaveChangesAsync(Token);
        }

        mine.Name = "mine";
        await Assert.ThrowsAsync<VersionConflictException>(() => stale.SaveChangesAsync(Token));
    }

    private async Task<int> AddAsync()
    {
        await using var db = database.Open();
        var order = new Order { Details = new() { Text = "a" } };
        db.Add(order);
        await db.SaveChangesAsync(Token);
        return order.Id;
    }

    public sealed class Database(PostgresServer server) : DatabaseFixture(server)
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await using var db = Open();
            await db.Database.EnsureCreatedAsync(Token);
        }

        public Context Open() => new(new DbContextOptionsBuilder<Context>().UseNpgsql(ConnectionString).UseEfConcurrency().Options);
    }

    public sealed class Context(DbContextOptions<Context> options) : DbContext(options)
    {
        public DbSet<Order> Orders => Set<Order>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Order>().ToTable("Orders").HasOne(o => o.Details).WithOne().HasForeignKey<Details>(d => d.Id);
            modelBuilder.Entity<Details>().ToTable("Orders");
            modelBuilder.Entity<Order>().Navigation(o => o.Details).IsRequired();
        }
    }

    public sealed class Order : IVersioned
    {
        public int Id { get; set; }

        public string Name { get; set; } = "";

        public Details? Details { get; set; }

        public long Version { get; private set; }
    }

    public sealed class Details
    {
        public int Id { get; set; }

        public string Text { get; set; } = "";
    }
}
