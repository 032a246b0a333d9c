using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>
/// Within a key, ids follow the order of the commits: writers of one key meet at a row first, and the message is the last statement. Both sessions are
/// real; gates make the interleaving that would hurt.
/// </summary>
public sealed class EnqueueOrderTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>
    /// The one save: its UPDATE waits for a row that another session holds, and its message, which stands behind it, has no id yet. That session
    /// takes ids meanwhile.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(20)]
    public async Task The_message_of_a_save_is_its_last_statement(int rows)
    {
        var sales = await shop.AddSalesAsync(rows);
        await using var holder = new NpgsqlConnection(shop.ConnectionString);
        await holder.OpenAsync(Token);
        await using var hold = await holder.BeginTransactionAsync(Token);
        await ExecuteAsync(holder, $"select 1 from \"Sales\" where \"Id\" = {sales[^1].Id} for update");
        await using var db = shop.Open();
        db.AttachRange(sales);
        sales.ForEach(s => s.Number = 7);
        var id = db.Outbox().Enqueue(new SaleMade(1, ""), "k");
        var saving = db.SaveChangesAsync(Token);
        await shop.UntilWaitingForLocksAsync(1);

        var earlier = Guid.NewGuid();
        await ExecuteAsync(holder, $"insert into efc.outbox (lane, message_id, topic, type, payload) values (0, '{earlier}', 't', 't', '')");
        await hold.CommitAsync(Token);
        await saving;

        Assert.True((await shop.RecordAsync(earlier)).Id < (await shop.RecordAsync(id)).Id);
    }

    /// <summary>
    /// Many writers of few rows: the version that a message tells of rises with its id. The control writes the message before it meets the others at
    /// the row, as an outbox entity that EF sorts before the business row does, and is held there until another has overtaken it.
    /// </summary>
    [Fact]
    public async Task Ids_rise_with_the_versions_of_the_row_and_would_not_if_the_message_came_first()
    {
        var sales = await shop.AddSalesAsync(3);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(() => WriteAsync(writer, sales), Token)));
        foreach (var sale in sales)
        {
            var versions = await VersionsAsync(Key(sale));
            Assert.Equal(versions.Order(), versions);
            Assert.Equal(versions.Count, versions.Distinct().Count());
            Assert.NotEmpty(versions);
        }

        var overtaken = sales[0];
        await using var early = shop.Open();
        await using (var transaction = await early.Database.BeginTransactionAsync(Token))
        {
            var version = await shop.ScalarAsync<long>($"select \"Version\" from \"Sales\" where \"Id\" = {overtaken.Id}") + 2;
            early.Outbox().Enqueue(new SaleMade((int)version, ""), Key(overtaken));
            await early.SaveChangesAsync(Token);
            await UpdateAsync(overtaken);
            await early.Sales.Where(s => s.Id == overtaken.Id).ExecuteUpdateAsync(s => s.SetProperty(x => x.Number, 1), Token);
            await transaction.CommitAsync(Token);
        }

        var violated = await VersionsAsync(Key(overtaken));
        Assert.NotEqual(violated.Order(), violated);
    }

    private static string Key(Sale sale) => $"order-{sale.Id}";

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    private async Task WriteAsync(int writer, List<Sale> sales)
    {
        for (var i = 0; i < 12; i++)
        {
            await UpdateAsync(sales[(writer + i) % sales.Count]);
        }
    }

    /// <summary>The message carries the version that its save gives the row.</summary>
    private async Task UpdateAsync(Sale sale)
    {
        await using var db = shop.Open();
        await db.RetryOnConflictAsync(
            async (context, token) =>
            {
                var mine = await context.Sales.SingleAsync(s => s.Id == sale.Id, token);
                mine.Number++;
                context.Outbox().Enqueue(new SaleMade((int)mine.Version + 1, ""), Key(sale));
                await context.SaveChangesAsync(token);
            },
            new() { MaxAttempts = 100 },
            Token);
    }

    private async Task<List<int>> VersionsAsync(string key)
    {
        await using var db = shop.Open();
        return await db.Database
            .SqlQuery<int>($"select (convert_from(payload, 'UTF8')::json ->> 'id')::int as \"Value\" from efc.outbox where key = {key} order by id").ToListAsync(Token);
    }
}
