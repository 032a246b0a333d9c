using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

public sealed class RootBumpTests(RootBumpTests.Database orders) : IClassFixture<RootBumpTests.Database>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_changed_added_or_removed_part_raises_the_version_of_a_tracked_root()
    {
        var (id, _) = await AddAsync();
        await using var db = orders.Open();
        var order = await db.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == id, Token);

        order.Lines[0].Quantity = 5;
        await db.SaveChangesAsync(Token);
        Assert.Equal(2, order.Version);

        order.Lines.Add(new Line());
        await db.SaveChangesAsync(Token);
        Assert.Equal(3, order.Version);

        order.Lines.RemoveAt(0);
        await db.SaveChangesAsync(Token);
        Assert.Equal(4, order.Version);
        Assert.Equal(4, await VersionAsync(id));
    }

    [Fact]
    public async Task Two_users_can_not_change_parts_of_one_aggregate_against_each_other()
    {
        var (id, _) = await AddAsync();
        await using var first = orders.Open();
        await using var second = orders.Open();
        var one = await first.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == id, Token);
        var two = await second.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == id, Token);

        one.Lines[0].Quantity = 5;
        await first.SaveChangesAsync(Token);
        two.Lines[1].Quantity = 7;

        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => second.SaveChangesAsync(Token));
        Assert.Equal("Order", Assert.Single(conflict.Conflicts).EntityType);
        Assert.Equal(EntityState.Unchanged, second.Entry(two).State);
    }

    [Fact]
    public async Task A_root_that_is_not_tracked_is_raised_by_its_key()
    {
        var (id, lines) = await AddAsync();
        await using var db = orders.Open();
        (await db.Lines.SingleAsync(l => l.Id == lines[0], Token)).Quantity = 5;
        (await db.Lines.SingleAsync(l => l.Id == lines[1], Token)).Quantity = 6;
        db.Add(new Line { OrderId = id });
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        Assert.Equal(2, await VersionAsync(id)); // once, for all three
    }

    [Fact]
    public async Task A_part_that_moves_raises_both_roots()
    {
        var (from, lines) = await AddAsync();
        var (to, _) = await AddAsync();
        await using var db = orders.Open();
        (await db.Lines.SingleAsync(l => l.Id == lines[0], Token)).OrderId = to;
        await db.SaveChangesAsync(Token);
        Assert.Equal((2, 2), (await VersionAsync(from), await VersionAsync(to)));
    }

    [Fact]
    public async Task A_part_of_a_part_raises_the_root_through_all_levels()
    {
        var (id, lines) = await AddAsync();
        await using var db = orders.Open();
        var order = await db.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == id, Token);
        db.Add(new Remark { LineId = lines[0], Text = "x" });
        await db.SaveChangesAsync(Token);
        Assert.Equal(2, order.Version);
    }

    [Fact]
    public async Task A_relationship_without_the_mark_raises_nothing()
    {
        var (id, _) = await AddAsync();
        await using var db = orders.Open();
        db.Add(new Visit { OrderId = id });
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, await VersionAsync(id));
    }

    [Fact]
    public async Task A_unique_violation_that_masks_a_stale_root_is_reported_as_the_conflict_it_is()
    {
        var (id, _) = await AddAsync();
        await using var db = orders.Open();
        var order = await db.Orders.SingleAsync(o => o.Id == id, Token);
        await using (var other = orders.Open())
        {
            other.Add(new Seat { OrderId = id, Number = 1 });
            (await other.Orders.SingleAsync(o => o.Id == id, Token)).Seats = 1;
            await other.SaveChangesAsync(Token);
        }

        order.Seats = 1;
        db.Add(new Seat { OrderId = id, Number = 1 });

        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(id, Assert.Single(conflict.Conflicts).Key["Id"]);
    }

    [Fact]
    public async Task A_unique_violation_of_a_fresh_root_stays_what_it_is()
    {
        var (id, _) = await AddAsync();
        await using var db = orders.Open();
        db.Add(new Seat { OrderId = id, Number = 1 });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        (await db.Orders.SingleAsync(o => o.Id == id, Token)).Seats = 1;
        db.Add(new Seat { OrderId = id, Number = 1 });

        var error = await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(Token));
        Assert.Equal("23505", Assert.IsType<Npgsql.PostgresException>(error.InnerException).SqlState);
    }

    private async Task<(int Id, int[] Lines)> AddAsync()
    {
        await using var db = orders.Open();
        var order = new Order { Lines = [new(), new()] };
        db.Add(order);
        await db.SaveChangesAsync(Token);
        return (order.Id, [.. order.Lines.Select(l => l.Id)]);
    }

    private async Task<int> VersionAsync(int id) => (int)await orders.ScalarAsync<long>($"select \"Version\" from \"Orders\" where \"Id\" = {id}");

    public sealed class Database(PostgresServer server) : DatabaseFixture(server)
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await using var db = Open();
            await db.Database.EnsureCreatedAsync(Token);
        }

        public OrderContext Open() => new(new DbContextOptionsBuilder<OrderContext>().UseNpgsql(ConnectionString).UseEfConcurrency().Options);
    }

    public sealed class OrderContext(DbContextOptions<OrderContext> options) : DbContext(options)
    {
        public DbSet<Order> Orders => Set<Order>();

        public DbSet<Line> Lines => Set<Line>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Order>().HasMany(o => o.Lines).WithOne().HasForeignKey(l => l.OrderId).BumpsRoot();
            modelBuilder.Entity<Line>().HasMany<Remark>().WithOne().HasForeignKey(r => r.LineId).BumpsRoot();
            modelBuilder.Entity<Order>().HasMany<Visit>().WithOne().HasForeignKey(v => v.OrderId);
            modelBuilder.Entity<Order>().HasMany<Seat>().WithOne().HasForeignKey(v => v.OrderId);
            modelBuilder.Entity<Seat>().HasKey(s => new { s.OrderId, s.Number });
        }
    }

    public sealed class Order : IVersioned
    {
        public int Id { get; set; }

        public int Seats { get; set; }

        public List<Line> Lines { get; set; } = [];

        public long Version { get; private set; }
    }

    public sealed class Line
    {
        public int Id { get; set; }

        public int OrderId { get; set; }

        public int Quantity { get; set; }
    }

    public sealed class Remark
    {
        public int Id { get; set; }

        public int LineId { get; set; }

        public string Text { get; set; } = "";
    }

    public sealed class Visit
    {
        public int Id { get; set; }

        public int OrderId { get; set; }
    }

    public sealed class Seat
    {
        public int OrderId { get; set; }

        public int Number { get; set; }
    }
}
