using System.Data;
using EfConcurrency.Inbox;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>The inbox row in the caller's own transaction.</summary>
public sealed class AcceptTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Ids => new(Guid.CreateVersion7().ToString(), Guid.NewGuid().ToString(), "evt_" + Guid.NewGuid().ToString("n"), "π💶 /…'\"\\");

    [Fact]
    public async Task Without_a_transaction_nothing_is_accepted()
    {
        await using var db = shop.Open();
        var id = NewOrder();
        await Assert.ThrowsAsync<InboxTransactionRequiredException>(() => db.Inbox().TryAcceptAsync(Consumer, id, Token));
        Assert.Equal(0, await shop.AcceptedAsync(id));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task A_message_is_new_once_for_each_consumer(string id)
    {
        foreach (var (consumer, isNew) in ((string, bool)[])[("a", true), ("a", false), ("b", true), ("b", false)])
        {
            await using var db = shop.Open();
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            Assert.Equal(isNew, await db.Inbox().TryAcceptAsync(consumer, id, Token));
            Assert.False(await db.Inbox().TryAcceptAsync(consumer, id, Token));
            await transaction.CommitAsync(Token);
        }
    }

    [Fact]
    public async Task A_UUID_as_text_is_the_same_id_in_whatever_case()
    {
        var id = Guid.CreateVersion7();
        await using var db = shop.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        Assert.True(await db.Inbox().TryAcceptAsync(Consumer, id, Token));
        Assert.False(await db.Inbox().TryAcceptAsync(Consumer, id.ToString(), Token));
        Assert.False(await db.Inbox().TryAcceptAsync(Consumer, id.ToString().ToUpperInvariant(), Token));
        Assert.True(await db.Inbox().TryAcceptAsync(Consumer, id.ToString("n"), Token)); // text like any other
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_concurrent_duplicate_waits_for_the_first_and_takes_over_only_if_that_rolls_back(bool isCommitted)
    {
        var id = Guid.CreateVersion7();
        await using var first = shop.Open();
        await using var second = shop.Open();
        await using var firstTransaction = await first.Database.BeginTransactionAsync(Token);
        await using var secondTransaction = await second.Database.BeginTransactionAsync(Token);
        Assert.True(await first.Inbox().TryAcceptAsync(Consumer, id, Token));

        var waiting = second.Inbox().TryAcceptAsync(Consumer, id, Token);
        await shop.UntilWaitingForLocksAsync(1);
        Assert.False(waiting.IsCompleted);
        await (isCommitted ? firstTransaction.CommitAsync(Token) : firstTransaction.RollbackAsync(Token));

        Assert.Equal(!isCommitted, await waiting);
    }

    [Fact]
    public async Task Above_read_committed_a_duplicate_that_the_snapshot_does_not_show_fails_as_other_writes_do()
    {
        var id = Guid.CreateVersion7();
        await using var db = shop.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, Token);
        await db.Bills.CountAsync(Token); // takes the snapshot
        await AcceptAsync(shop.ConnectionString, id);

        var error = await Assert.ThrowsAsync<PostgresException>(() => db.Inbox().TryAcceptAsync(Consumer, id, Token));
        Assert.Equal(PostgresErrorCodes.SerializationFailure, error.SqlState);
        Assert.Equal(ReplayVerdict.RolledBack, ReplayClassifier.Classify(error, new HashSet<string>()));
    }

    [Fact]
    public async Task Ids_are_taken_for_one_never_because_the_same_UUID_is_made_from_them()
    {
        var id = NewOrder();
        await AcceptAsync(shop.ConnectionString, id);
        await shop.ExecuteAsync($"update efc.inbox set foreign_id = 'another text with the same hash' where foreign_id = '{id}'");
        Assert.True(await AcceptAsync(shop.ConnectionString, id));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("half of a pair")]
    [InlineData(null)]
    public async Task An_id_that_cannot_be_kept_is_refused(string? id)
    {
        id = id == "half of a pair" ? "\ud83d" : id; // which the test runner's reports can't show
        await using var db = shop.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await Assert.ThrowsAnyAsync<ArgumentException>(() => db.Inbox().TryAcceptAsync(Consumer, id!, Token));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => db.Inbox().TryAcceptAsync(id ?? "", "id", Token));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => db.Inbox().TrySaveAsync(Consumer, id!, Token));
    }

    [Fact]
    public async Task Names_and_ids_are_as_long_as_their_columns()
    {
        await using var db = shop.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        Assert.True(await db.Inbox().TryAcceptAsync(new('c', 100), new string('i', 500), Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.Inbox().TryAcceptAsync(new('c', 101), "i", Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.Inbox().TryAcceptAsync("c", new string('i', 501), Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_missing_table_is_told(bool isInModel)
    {
        var own = await shop.CreateDatabaseAsync();
        await using DbContext db = isInModel ? shop.Open(own.ConnectionString) : new BareContext(own.ConnectionString);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var missing = await Assert.ThrowsAsync<InboxTableMissingException>(() => db.Inbox().TryAcceptAsync(Consumer, "id", Token));
        Assert.Equal(isInModel ? "efc.inbox" : null, missing.Table);
        Assert.Contains("HasInbox()", missing.Message, StringComparison.Ordinal);
        await transaction.RollbackAsync(Token);
        Assert.Equal(missing.Table, (await Assert.ThrowsAsync<InboxTableMissingException>(() => db.Inbox().TrySaveAsync(Consumer, "id", Token))).Table);
        await db.DisposeAsync();
        await own.DisposeAsync();
    }

    internal static async Task<bool> AcceptAsync(ShopDatabase shop, string connectionString, string id)
    {
        await using var db = shop.Open(connectionString);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var isNew = await db.Inbox().TryAcceptAsync(Consumer, id, Token);
        await transaction.CommitAsync(Token);
        return isNew;
    }

    private Task<bool> AcceptAsync(string connectionString, object id) => AcceptAsync(shop, connectionString, id.ToString()!);

    private sealed class BareContext(string connectionString) : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder options) => options.UseNpgsql(connectionString).UseEfConcurrency();
    }
}
