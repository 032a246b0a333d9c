using EfConcurrency.Inbox;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>Who has accepted a message is found, whatever the window of the model that asks.</summary>
public sealed class FindTests(FindTests.Database database) : IClassFixture<FindTests.Database>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public async Task Who_has_accepted_a_message_is_found_in_a_table_with_a_window_of_its_own(int windowDays)
    {
        var id = Guid.CreateVersion7();
        var foreign = $"evt_{id}";
        foreach (var consumer in new[] { "billing", "mail" })
        {
            await using var db = new Context(database.ConnectionString, windowDays: 3);
            db.Inbox().AcceptWithNextSave(consumer, foreign);
            Assert.True(await db.Inbox().TrySaveAsync(consumer, id, Token));
        }

        await using var asking = new Context(database.ConnectionString, windowDays);
        var found = await asking.InboxAdmin().FindAsync($"{id}", cancellationToken: Token);
        Assert.Equal(["billing", "mail"], found.Accepted.Select(a => a.Consumer));
        Assert.Equal((id, 3, true), (found.Accepted[0].MessageId, found.WindowDays, found.IsInsideWindow));
        Assert.InRange(found.Accepted[0].AcceptedAt, found.DatabaseTime.AddMinutes(-1), found.DatabaseTime);
        Assert.Equal("mail", Assert.Single((await asking.InboxAdmin().FindAsync(foreign, "mail", Token)).Accepted).Consumer);
        Assert.Empty((await asking.InboxAdmin().FindAsync($"{id}", "nobody", Token)).Accepted);
    }

    [Theory]
    [InlineData(-2, true)]
    [InlineData(-4, false)]
    [InlineData(1, false)]
    public async Task A_message_from_outside_of_the_window_is_told(int days, bool isInside)
    {
        await using var db = new Context(database.ConnectionString, windowDays: 3);
        var found = await db.InboxAdmin().FindAsync($"{Guid.CreateVersion7(DateTimeOffset.UtcNow.AddDays(days))}", cancellationToken: Token);
        Assert.Equal(isInside, found.IsInsideWindow);
        Assert.Empty(found.Accepted);
        Assert.NotNull(found.SentAt);
    }

    [Fact]
    public async Task A_missing_table_and_a_name_that_is_none_are_told()
    {
        await using var own = await database.CreateDatabaseAsync();
        await using var db = new Context(own.ConnectionString, windowDays: 3);
        await Assert.ThrowsAsync<InboxTableMissingException>(() => db.InboxAdmin().FindAsync("x", cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.InboxAdmin().FindAsync("x", " ", Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.InboxAdmin().FindAsync("", cancellationToken: Token));
    }

    public sealed class Database(PostgresServer server) : DatabaseFixture(server)
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await using var db = new Context(ConnectionString, windowDays: 3);
            await db.Database.EnsureCreatedAsync(Token);
        }
    }

    /// <summary>A model for each window.</summary>
    private sealed class Context(string connectionString, int windowDays) : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder builder)
            => builder.UseNpgsql(connectionString).UseEfConcurrency().ReplaceService<IModelCacheKeyFactory, ByWindow>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasInbox(o => o.WindowDays = windowDays);

        private int WindowDays => windowDays;

        private sealed class ByWindow : IModelCacheKeyFactory
        {
            public object Create(DbContext context, bool designTime) => (((Context)context).WindowDays, designTime);
        }
    }
}
