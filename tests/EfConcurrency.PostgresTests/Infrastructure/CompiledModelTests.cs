using EfConcurrency.PostgresTests.Infrastructure.CompiledModel;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.Infrastructure;

public sealed class CompiledModelTests(CompiledModelTests.Database database) : IClassFixture<CompiledModelTests.Database>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Versions_hold_with_a_compiled_model()
    {
        var factory = database.Factory();
        await using var db = await factory.CreateDbContextAsync(Token);
        Assert.Same(CompiledContextModel.Instance, db.Model);
        var order = new CompiledOrder { Address = new() { City = "x" }, Lines = [new(), new()] };
        db.Add(order);
        await db.SaveChangesAsync(Token);
        await using var stale = await factory.CreateDbContextAsync(Token);
        var mine = await stale.Orders.SingleAsync(o => o.Id == order.Id, Token);

        order.Address.City = "y";
        await db.SaveChangesAsync(Token);
        Assert.Equal(2, order.Version);
        order.Lines[0].Quantity = 3;
        await db.SaveChangesAsync(Token);
        Assert.Equal(3, order.Version);
        await db.Orders.Where(o => o.Id == order.Id).ExecuteUpdateAsync(s => s.SetProperty(o => o.Name, "bulk"), Token);

        mine.Name = "mine";
        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => stale.SaveChangesAsync(Token));
        Assert.Equal(4L, Assert.Single(conflict.Conflicts).Actual);
    }

    [Fact]
    public async Task A_unit_is_retried_with_a_compiled_model()
    {
        var factory = database.Factory();
        int id;
        await using (var db = await factory.CreateDbContextAsync(Token))
        {
            var order = new CompiledOrder { Address = new() { City = "x" } };
            db.Add(order);
            await db.SaveChangesAsync(Token);
            id = order.Id;
        }

        var attempts = 0;
        await factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                var order = await db.Orders.SingleAsync(o => o.Id == id, token);
                if (++attempts == 1)
                {
                    await database.ExecuteAsync($"update \"Orders\" set \"Version\" = \"Version\" + 1 where \"Id\" = {id}");
                }

                order.Name = "mine";
                await db.SaveChangesAsync(token);
            },
            cancellationToken: Token);
        Assert.Equal(2, attempts);
    }

    public sealed class Database(PostgresServer server) : DatabaseFixture(server)
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await using var db = new CompiledContext(Options().Options);
            await db.Database.EnsureCreatedAsync(Token);
        }

        public PooledDbContextFactory<CompiledContext> Factory() => new(Options().UseModel(CompiledContextModel.Instance).Options);

        private DbContextOptionsBuilder<CompiledContext> Options()
            => new DbContextOptionsBuilder<CompiledContext>().UseNpgsql(ConnectionString).UseEfConcurrency();
    }
}
