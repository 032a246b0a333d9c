using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.Versioning.RetryOptions;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>Work is reported as done only if it is done, and done again only if nothing of it was.</summary>
public sealed class RetryNothingSwallowedTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private const string DivideByZero = "select 1 / 0";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_statement_whose_error_was_swallowed_is_not_committed_as_if_it_had_worked()
    {
        // PostgreSQL answers COMMIT in an aborted transaction with ROLLBACK, which is no error.
        var text = Guid.NewGuid().ToString();

        var error = await Assert.ThrowsAsync<PostgresException>(() => shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                db.Add(new Plain { Text = text });
                await db.SaveChangesAsync(token);
                await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlRawAsync(DivideByZero, token));
            },
            NoPause,
            Token));

        Assert.Equal(PostgresErrorCodes.DivisionByZero, error.SqlState);
        Assert.Equal(0L, await CountAsync(text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Not_even_one_that_EF_knows_nothing_of(bool afterSave)
    {
        var text = Guid.NewGuid().ToString();

        await Assert.ThrowsAsync<PostgresException>(() => shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                db.Add(new Plain { Text = text });
                await (afterSave ? db.SaveChangesAsync(token) : db.Database.OpenConnectionAsync(token));
                await using var command = db.Database.GetDbConnection().CreateCommand();
                command.CommandText = DivideByZero;
                await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(token));
            },
            NoPause,
            Token));

        Assert.Equal(0L, await CountAsync(text));
    }

    [Fact]
    public async Task What_follows_a_swallowed_error_reports_the_first_one()
    {
        var attempts = 0;

        await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                if (++attempts == 1)
                {
                    await Assert.ThrowsAnyAsync<Exception>(() => db.Database.ExecuteSqlRawAsync("do $$ begin raise exception 'race' using errcode = '40P01'; end $$", token));
                }

                await db.Plains.CountAsync(token); // 25P02 in the first attempt
            },
            NoPause,
            Token);

        Assert.Equal(2, attempts);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lost_connection_that_was_swallowed_is_found_at_the_commit_and_the_unit_runs_again(bool isKnownToEF)
    {
        var text = Guid.NewGuid().ToString();
        var attempts = 0;

        await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                db.Add(new Plain { Text = text });
                await db.SaveChangesAsync(token);
                if (++attempts == 1)
                {
                    await using var suicide = db.Database.GetDbConnection().CreateCommand();
                    suicide.CommandText = "select pg_terminate_backend(pg_backend_pid())";
                    await Assert.ThrowsAsync<PostgresException>(() => isKnownToEF ? db.Database.ExecuteSqlRawAsync(suicide.CommandText, token) : suicide.ExecuteNonQueryAsync(token));
                }
            },
            NoPause,
            Token);

        Assert.Equal(2, attempts);
        Assert.Equal(1L, await CountAsync(text));
    }

    [Fact]
    public async Task A_swallowed_conflict_behind_a_unique_violation_is_still_retried_as_the_conflict_it_is()
    {
        var id = (await shop.AddAsync(new Customer { Address = new() { City = "x" } })).Id;
        var attempts = 0;

        await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                var customer = await db.Customers.SingleAsync(c => c.Id == id, token);
                if (++attempts == 1)
                {
                    await shop.ChangeAsync<Customer>(id, c => c.Phones.Add(new Phone { Id = 1, Number = "theirs" }));
                    customer.Phones.Add(new Phone { Id = 1, Number = "mine" });
                    await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesAsync(token));
                    await db.Plains.CountAsync(token); // 25P02
                }
            },
            NoPause,
            Token);

        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task An_error_undone_by_a_savepoint_of_the_unit_does_no_harm()
    {
        var text = Guid.NewGuid().ToString();

        await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                db.Add(new Plain { Text = text });
                await db.SaveChangesAsync(token);
                await db.Database.CurrentTransaction!.CreateSavepointAsync("mine", token);
                await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlRawAsync(DivideByZero, token));
                await db.Database.CurrentTransaction!.RollbackToSavepointAsync("mine", token);
            },
            NoPause,
            Token);

        Assert.Equal(1L, await CountAsync(text));
    }

    [Fact]
    public async Task After_a_failure_the_context_is_empty_and_can_be_used_for_the_next_unit()
    {
        await using var db = shop.Open();
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.RetryOnConflictAsync(
            async (context, token) =>
            {
                context.Add(new Plain { Text = "saved, and rolled back" });
                await context.SaveChangesAsync(token);
                context.Add(new Plain { Text = "never saved" });
                throw new InvalidOperationException("bug");
            },
            NoPause,
            Token));

        Assert.Empty(db.ChangeTracker.Entries());
        await db.RetryOnConflictAsync((_, _) => Task.CompletedTask, NoPause, Token);
    }

    [Fact]
    public async Task With_a_transaction_per_save_a_connection_lost_before_the_write_is_no_riddle()
    {
        var text = Guid.NewGuid().ToString();
        var attempts = 0;

        await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                await db.Database.OpenConnectionAsync(token);
                if (++attempts == 1)
                {
                    await shop.ExecuteAsync($"select pg_terminate_backend({((NpgsqlConnection)db.Database.GetDbConnection()).ProcessID}, 10000)");
                }

                await db.Plains.CountAsync(token);
                db.Add(new Plain { Text = text });
                await db.SaveChangesAsync(token);
            },
            PerSave,
            Token);

        Assert.Equal(2, attempts);
        Assert.Equal(1L, await CountAsync(text));
    }

    [Fact]
    public async Task With_a_transaction_per_save_EnableRetryOnFailure_does_not_repeat_a_save_whose_reply_was_lost()
    {
        await using var proxy = shop.StartProxy(c => c.NoResetOnClose = true); // else the fault may fall on DISCARD ALL
        var factory = ShopFactory.Create(proxy.ConnectionString, npgsql => npgsql.EnableRetryOnFailure(3));
        var text = Guid.NewGuid().ToString();

        await Assert.ThrowsAsync<EfConcurrency.Resilience.CommitOutcomeUnknownException>(() => factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                await db.Plains.CountAsync(token);
                db.Add(new Plain { Text = text });
                _ = proxy.FaultNextBatch(CommitFault.CutAfter);
                await db.SaveChangesAsync(token);
            },
            PerSave,
            Token));

        Assert.Equal(1L, await CountAsync(text));
    }

    private Task<long> CountAsync(string text) => shop.ScalarAsync<long>($"select count(*) from \"Plains\" where \"Text\" = '{text}'");
}
