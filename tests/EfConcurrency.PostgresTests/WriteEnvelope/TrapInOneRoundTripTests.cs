using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.WriteEnvelope;

/// <summary>
/// Without BEGIN a batch commits before the client has looked at its row counts. A save that is refused must leave nothing behind, of the
/// contribution nor of its other rows, in every way of saving.
/// </summary>
public sealed class TrapInOneRoundTripTests(NoteDatabase notes) : IClassFixture<NoteDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<ServerJudgedSaves, AutoTransactionBehavior, bool, int, bool> Ways => new(
        [ServerJudgedSaves.WhenAvailable, ServerJudgedSaves.Never],
        [AutoTransactionBehavior.WhenNeeded, AutoTransactionBehavior.Always, AutoTransactionBehavior.Never],
        [false, true],
        [1, 3],
        [false, true]);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_refused_version_leaves_nothing_of_the_contribution(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows, bool sync)
    {
        await using var db = notes.Open(judge);
        var saved = await NoteDatabase.AddNotesAsync(db, rows);
        await notes.TouchAsync(saved[^1]);
        var text = await SaveAsync(db, saved, behavior, inTransaction, sync, typeof(VersionConflictException));

        Assert.Equal(0, await notes.MessagesAsync(text));
        foreach (var note in saved)
        {
            Assert.Equal(0, await notes.ScalarAsync<int>($"select \"Number\" from \"Notes\" where \"Id\" = {note.Id}"));
            Assert.Equal(1, note.Version);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_refusing_guard_leaves_nothing_of_the_rows_and_the_message(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows, bool sync)
    {
        await using var db = notes.Open(judge);
        var saved = await NoteDatabase.AddNotesAsync(db, rows);
        db.GetService<TestContribution>().Refuses = true;
        var text = await SaveAsync(db, saved, behavior, inTransaction, sync, typeof(DbUpdateException));

        Assert.Equal(0, await notes.MessagesAsync(text));
        foreach (var note in saved)
        {
            Assert.Equal(0, await notes.ScalarAsync<int>($"select \"Number\" from \"Notes\" where \"Id\" = {note.Id}"));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task An_accepted_save_writes_all_of_it_and_counts_only_the_users_rows(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows, bool sync)
    {
        await using var db = notes.Open(judge);
        var saved = await NoteDatabase.AddNotesAsync(db, rows);
        var text = await SaveAsync(db, saved, behavior, inTransaction, sync, refusal: null);

        Assert.Equal(2, await notes.MessagesAsync(text));
        foreach (var note in saved)
        {
            Assert.Equal(7, await notes.ScalarAsync<int>($"select \"Number\" from \"Notes\" where \"Id\" = {note.Id}"));
            Assert.Equal(2, note.Version);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_is_sent_although_nothing_else_is_saved(bool sync)
    {
        await using var db = notes.Open();
        var text = Guid.NewGuid().ToString();
        db.GetService<TestContribution>().Message = text;

        Assert.Equal(0, sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));
        Assert.Equal(2, await notes.MessagesAsync(text));

        await db.SaveChangesAsync(Token);
        Assert.Equal(2, await notes.MessagesAsync(text));
    }

    [Fact]
    public async Task A_save_of_several_batches_is_refused_as_a_whole()
    {
        await using var db = notes.Open(configure: o => o.UseNpgsql(notes.ConnectionString, n => n.MaxBatchSize(2)));
        var saved = await NoteDatabase.AddNotesAsync(db, 7);
        await notes.TouchAsync(saved[^1]);
        var text = await SaveAsync(db, saved, AutoTransactionBehavior.WhenNeeded, inTransaction: false, sync: false, typeof(VersionConflictException));

        Assert.Equal(0, await notes.MessagesAsync(text));
        Assert.Equal(0L, await notes.ScalarAsync<long>($"select count(*) from \"Notes\" where \"Number\" = 7 and \"Id\" in ({string.Join(',', saved.Select(n => n.Id))})"));
    }

    /// <summary>EF refuses an insert that a trigger swallowed; the rest of the save may not stay.</summary>
    [Fact]
    public async Task An_insert_that_wrote_no_row_is_refused_with_all_the_rest()
    {
        await notes.ExecuteAsync("""
            create or replace function swallow() returns trigger language plpgsql as $$ begin if new."Number" = 13 then return null; end if; return new; end $$;
            drop trigger if exists swallow on "Loose";
            create trigger swallow before insert on "Loose" for each row execute function swallow();
            """);
        await using var db = notes.Open();
        db.Add(new Loose { Number = 1001 });
        db.Add(new Loose { Number = 13 });

        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync(Token));

        Assert.Equal(0L, await notes.ScalarAsync<long>("select count(*) from \"Loose\" where \"Number\" in (1001, 13)"));
    }

    private static async Task<string> SaveAsync(NoteContext db, List<Note> saved, AutoTransactionBehavior behavior, bool inTransaction, bool sync, Type? refusal)
    {
        var text = Guid.NewGuid().ToString();
        db.Database.AutoTransactionBehavior = behavior;
        saved.ForEach(n => n.Number = 7);
        db.GetService<TestContribution>().Message = text;

        await using var transaction = inTransaction ? await db.Database.BeginTransactionAsync(Token) : null;
        if (refusal is null)
        {
            Assert.Equal(saved.Count, sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));
        }
        else
        {
            Assert.Equal(refusal, (await Record.ExceptionAsync(async () => _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token)))?.GetType());
        }

        if (transaction is not null)
        {
            // The transaction is still usable, and commits what else it holds.
            await transaction.CommitAsync(Token);
        }

        return text;
    }
}
