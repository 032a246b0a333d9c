using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>What the database refuses by itself, on any path.</summary>
public sealed class FencingTriggerTests(TriggerDatabase database) : IClassFixture<TriggerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plain_trigger_refuses_raw_SQL_that_lowers_the_token()
    {
        await using var db = database.Open();
        using (db.UseFencingToken("p", 10))
        {
            db.Add(new Plain { Id = 1 });
            await db.SaveChangesAsync(Token);
        }

        var rejected = await Assert.ThrowsAsync<FencingTokenRejectedException>(
            () => db.Database.ExecuteSqlRawAsync("update \"Plain\" set \"Total\" = 1, \"FencingToken\" = 9 where \"Id\" = 1", Token));
        Assert.Equal(("p", 9L, 10L), (rejected.Resource, rejected.Token, rejected.CurrentToken));
        Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("update \"Plain\" set \"Total\" = 1, \"FencingToken\" = 11 where \"Id\" = 1", Token));
        Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("update \"Plain\" set \"Total\" = 2 where \"Id\" = 1", Token));
    }

    [Theory]
    [InlineData("insert into \"Strict\" (\"Id\", \"Total\", \"FencingToken\") values (1000, 0, 0)")]
    [InlineData("update \"Strict\" set \"Total\" = 1")]
    [InlineData("delete from \"Strict\"")]
    [InlineData("insert into \"Strict\" (\"Id\", \"Total\", \"FencingToken\") values (2, 0, 0) on conflict (\"Id\") do update set \"Total\" = 5")]
    [InlineData("with d as (delete from \"Strict\" returning 1) select count(*) from d")]
    public async Task A_strict_trigger_refuses_raw_SQL_without_a_token(string sql)
    {
        await database.AddStrictAsync();
        await using var db = database.Open();
        Assert.Equal("s", (await Assert.ThrowsAsync<FencingTokenRequiredException>(() => db.Database.ExecuteSqlRawAsync(sql, Token))).Resource);
    }

    [Fact]
    public async Task A_strict_trigger_lets_saves_ExecuteUpdate_and_presented_raw_SQL_through_and_stops_them_when_stale()
    {
        var id = await database.AddStrictAsync();
        await using var stale = await database.TakeOverAsync("s");
        await WriteAsync(id, stale);
        await using var current = await database.TakeOverAsync("s");

        await using var db = database.Open();
        using (db.UseLease(stale))
        {
            db.Add(new Strict());
            await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token));
            await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.Set<Strict>().ExecuteDeleteAsync(Token));
            await using (await db.Database.BeginTransactionAsync(Token))
            {
                await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.PresentFencingTokensAsync(Token));
            }
        }

        await WriteAsync(id, current);
    }

    /// <summary>A setting of the session is not a proof: the lease is looked at again.</summary>
    [Fact]
    public async Task A_token_left_in_the_session_by_an_earlier_transaction_is_of_no_use_when_it_is_stale()
    {
        var id = await database.AddStrictAsync();
        await using var stale = await database.TakeOverAsync("s");
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(Token);
        await RunAsync(connection, $"select set_config('efc.fencing_tokens', '{{\"s\": {stale.FencingToken}}}', false)");
        await using var current = await database.TakeOverAsync("s");

        var error = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, $"update \"Strict\" set \"Total\" = 5 where \"Id\" = {id}"));
        Assert.Equal("EFC01", error.SqlState);
    }

    [Fact]
    public async Task In_psql_a_token_is_presented_by_a_function()
    {
        var id = await database.AddStrictAsync();
        await using var lease = await database.TakeOverAsync("s");
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(Token);

        await RunAsync(connection, $"begin; select efc.present_fencing_token('s', {lease.FencingToken}); update \"Strict\" set \"Total\" = 5 where \"Id\" = {id}; commit");
        Assert.Equal("EFC01", (await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, $"select efc.present_fencing_token('s', {lease.FencingToken - 1})"))).SqlState);
        Assert.Equal("EFC03", (await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, $"update \"Strict\" set \"Total\" = 6 where \"Id\" = {id}"))).SqlState);
    }

    /// <summary>Else a new holder could come between the check and the commit.</summary>
    [Fact]
    public async Task A_presented_token_stays_the_current_one_until_its_transaction_ends()
    {
        await using var lease = await database.TakeOverAsync("s");
        await using var db = database.Open();
        using var scope = db.UseLease(lease);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.PresentFencingTokensAsync(Token);

        const string TakeOver = "set lock_timeout = '100ms'; update efc.lease set fencing_token = fencing_token + 1 where name = 's'";
        Assert.Equal("55P03", (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(TakeOver))).SqlState);
        await transaction.CommitAsync(Token);
        await database.ExecuteAsync(TakeOver);
    }

    [Fact]
    public async Task Rows_with_leases_of_their_own_each_need_theirs()
    {
        await using var one = await database.TakeOverAsync("page:1/a'b");
        await using var two = await database.TakeOverAsync("page:2/x");
        await using var db = database.Open();
        using (db.UseLease(one))
        using (db.UseLease(two))
        {
            db.AddRange(new Page { Id = 1, Key = "a'b" }, new Page { Id = 2, Key = "x" });
            await db.SaveChangesAsync(Token);
        }

        using (db.UseLease(one))
        await using (await db.Database.BeginTransactionAsync(Token))
        {
            await db.PresentFencingTokensAsync(Token);
            Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("update \"Page\" set \"Text\" = 'x' where \"Id\" = 1", Token));
            Assert.Equal("page:2/x", (await Assert.ThrowsAsync<FencingTokenRequiredException>(() => db.Database.ExecuteSqlRawAsync("update \"Page\" set \"Text\" = 'x'", Token))).Resource);
        }
    }

    /// <summary>A writer of fenced rows needs no right on the lease table.</summary>
    [Fact]
    public async Task A_role_without_rights_on_the_lease_table_can_present_and_write()
    {
        var id = await database.AddStrictAsync();
        await using var lease = await database.TakeOverAsync("s");
        await database.ExecuteAsync("""
            do $$ begin create role clerk login; exception when duplicate_object then null; end $$;
            grant select, update on "Strict" to clerk;
            """);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "clerk" }.ConnectionString);
        await connection.OpenAsync(Token);
        await RunAsync(connection, $"begin; select efc.present_fencing_token('s', {lease.FencingToken}); update \"Strict\" set \"Total\" = 5 where \"Id\" = {id}; commit");
        Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, "select * from efc.lease"))).SqlState);
    }

    [Fact]
    public async Task Presenting_needs_a_transaction_and_a_token()
    {
        await using var db = database.Open();
        Assert.Contains("No fencing token", (await Assert.ThrowsAsync<InvalidOperationException>(() => db.PresentFencingTokensAsync(Token))).Message, StringComparison.Ordinal);
        using var scope = db.UseFencingToken("t", 1);
        Assert.Contains("BeginTransactionAsync", (await Assert.ThrowsAsync<InvalidOperationException>(() => db.PresentFencingTokensAsync(Token))).Message, StringComparison.Ordinal);
    }

    private async Task WriteAsync(int id, Lease lease)
    {
        await using var db = database.Open();
        using var scope = db.UseLease(lease);
        var strict = await db.Set<Strict>().SingleAsync(s => s.Id == id, Token);
        strict.Total++;
        db.Add(new Strict());
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, await db.Set<Strict>().Where(s => s.Id == id).ExecuteUpdateAsync(s => s.SetProperty(x => x.Total, x => x.Total + 1), Token));
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.PresentFencingTokensAsync(Token);
        Assert.Equal(1, await db.Database.ExecuteSqlRawAsync($"update \"Strict\" set \"Total\" = \"Total\" + 1 where \"Id\" = {id}", Token));
        await transaction.CommitAsync(Token);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            await command.ExecuteNonQueryAsync(Token);
        }
        catch (PostgresException) when (sql.StartsWith("begin", StringComparison.Ordinal))
        {
            await using var rollback = new NpgsqlCommand("rollback", connection);
            await rollback.ExecuteNonQueryAsync(Token);
            throw;
        }
    }
}
