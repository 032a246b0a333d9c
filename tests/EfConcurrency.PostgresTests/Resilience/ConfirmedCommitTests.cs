using EfConcurrency.Idempotency;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Resilience;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace EfConcurrency.PostgresTests.Resilience;

/// <summary>A commit waits for a synchronous standby that is not there, and somebody ends that wait: the server keeps the commit and calls it a success.</summary>
public sealed class ConfirmedCommitTests : IAsyncLifetime
{
    private LocalPostgres _server = null!;
    private TestDatabase _database = null!;
    private PooledDbContextFactory<NoteContext> _contexts = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await LocalPostgres.StartAsync(
            new() { Settings = new Dictionary<string, string> { ["synchronous_standby_names"] = "away", ["synchronous_commit"] = "local" } }, Token);
        _database = await _server.CreateDatabaseAsync(Token);
        await using (var db = new NoteContext(Options(_database.ConnectionString)))
        {
            await db.Database.EnsureCreatedAsync(Token);
        }

        var waits = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Options = "-c synchronous_commit=on" };
        _contexts = new(Options(waits.ConnectionString));
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("pg_cancel_backend")]
    [InlineData("pg_terminate_backend")]
    public async Task It_is_not_reported_as_a_success_and_the_work_is_not_run_again(string ending)
    {
        foreach (var (name, work) in Works)
        {
            var committing = work(this);
            await EndWaitAsync(ending, committing);

            var error = await Assert.ThrowsAsync<CommitOutcomeUnknownException>(() => committing);
            Assert.Contains("standby", error.Message, StringComparison.Ordinal);
            Assert.True(error.TransactionId is not null, name);
            Assert.Equal(1L, await ScalarAsync($"select count(*) from \"Notes\" where \"Text\" = '{name}'"));
        }

        Assert.Equal(0, NoteContext.AfterCommits);
    }

    private static Dictionary<string, Func<ConfirmedCommitTests, Task>> Works => new()
    {
        ["retry"] = test => test._contexts.RetryOnConflictAsync(
            async (db, ct) =>
            {
                db.AfterCommit(_ => Task.FromResult(NoteContext.AfterCommits++));
                await db.NoteAsync("retry", ct);
            },
            cancellationToken: Token),
        ["advisory lock"] = async test =>
        {
            await using var db = await test._contexts.CreateDbContextAsync(Token);
            await db.WithAdvisoryLockAsync("notes", (_, ct) => db.NoteAsync("advisory lock", ct), cancellationToken: Token);
        },
        ["idempotency key"] = async test =>
        {
            await using var db = await test._contexts.CreateDbContextAsync(Token);
            await db.ExecuteIdempotentlyAsync(
                new IdempotencyKey("notes", Guid.NewGuid().ToString()),
                "note",
                async (context, ct) =>
                {
                    await context.NoteAsync("idempotency key", ct);
                    return 1;
                },
                cancellationToken: Token);
        },
    };

    private static DbContextOptions<NoteContext> Options(string connectionString) => new DbContextOptionsBuilder<NoteContext>().UseNpgsql(connectionString).UseEfConcurrency().Options;

    private async Task EndWaitAsync(string ending, Task committing)
        => await Eventually.IsTrueAsync(
            async () => committing.IsCompleted || await ScalarAsync($"select count({ending}(pid)) from pg_stat_activity where datname = current_database() and wait_event = 'SyncRep'") == 1);

    private async Task<long> ScalarAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }

    private sealed class NoteContext(DbContextOptions<NoteContext> options) : DbContext(options)
    {
        public static int AfterCommits { get; set; }

        public async Task NoteAsync(string text, CancellationToken cancellationToken)
        {
            Add(new Note { Text = text });
            await SaveChangesAsync(cancellationToken);
        }

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Note>().ToTable("Notes");
            modelBuilder.HasIdempotencyKeys();
        }
    }

    private sealed class Note
    {
        public int Id { get; set; }

        public string Text { get; set; } = "";
    }
}
