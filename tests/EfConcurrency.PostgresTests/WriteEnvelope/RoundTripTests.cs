using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.WriteEnvelope;

/// <summary>The budget: network round trips, counted at the wire.</summary>
public sealed class RoundTripTests(NoteDatabase notes) : IClassFixture<NoteDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, false, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(1, true, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(2, false, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(8, false, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(20, false, ServerJudgedSaves.WhenAvailable, 2)]
    [InlineData(7, true, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(20, true, ServerJudgedSaves.WhenAvailable, 2)]
    [InlineData(1, false, ServerJudgedSaves.Never, 1)]
    [InlineData(1, true, ServerJudgedSaves.Never, 2)]
    [InlineData(20, false, ServerJudgedSaves.Never, 2)]
    [InlineData(20, true, ServerJudgedSaves.Never, 2)]
    public async Task A_versioned_save(int rows, bool withMessage, ServerJudgedSaves judge, int expected)
    {
        await using var proxy = notes.StartProxy();
        await using var db = notes.Open(judge, proxy.ConnectionString);
        var saved = await NoteDatabase.AddNotesAsync(db, rows);
        await WarmUpAsync(db);
        saved.ForEach(n => n.Number = 7);
        db.GetService<TestContribution>().Message = withMessage ? "m" : null;

        var trips = proxy.CountRoundTrips();
        await db.SaveChangesAsync(Token);

        Assert.Equal(expected, trips.Count);
    }

    [Fact]
    public async Task An_update_and_an_insert_with_a_generated_key_in_one_save()
    {
        await using var proxy = notes.StartProxy();
        await using var db = notes.Open(connectionString: proxy.ConnectionString);
        var note = (await NoteDatabase.AddNotesAsync(db, 1))[0];
        await WarmUpAsync(db);
        note.Number = 7;
        var added = new Note();
        db.Add(added);

        var trips = proxy.CountRoundTrips();
        Assert.Equal(2, await db.SaveChangesAsync(Token));

        Assert.Equal(1, trips.Count);
        Assert.True(added.Id > 0);
    }

    [Fact]
    public async Task A_save_inside_a_unit_of_RetryOnConflict_and_its_commit()
    {
        await using var proxy = notes.StartProxy();
        await using var db = notes.Open(connectionString: proxy.ConnectionString);
        var id = (await NoteDatabase.AddNotesAsync(db, 1))[0].Id;
        await WarmUpAsync(db);
        RoundTripCounter? read = null, trips = null;

        await db.RetryOnConflictAsync(
            async (context, token) =>
            {
                read = proxy.CountRoundTrips();
                var note = await context.Notes.SingleAsync(n => n.Id == id, token);
                Assert.Equal(1, read.Count); // BEGIN rides with the read
                trips = proxy.CountRoundTrips();
                note.Number = 7;
                await context.SaveChangesAsync(token);
            },
            cancellationToken: Token);

        Assert.Equal(2, trips!.Count); // save, COMMIT
    }

    [Fact]
    public async Task A_retry_that_locks_first_costs_one_round_trip_more()
    {
        await using var proxy = notes.StartProxy();
        await using var db = notes.Open(connectionString: proxy.ConnectionString);
        var seed = (await NoteDatabase.AddNotesAsync(db, 1))[0];
        await WarmUpAsync(db);
        RoundTripCounter? trips = null;
        var attempts = 0;

        await db.RetryOnConflictAsync(
            async (context, token) =>
            {
                var note = await context.Notes.SingleAsync(n => n.Id == seed.Id, token);
                if (++attempts == 1)
                {
                    await notes.TouchAsync(seed);
                }

                note.Number = 7;
                await context.SaveChangesAsync(token);
            },
            new RetryOnConflictOptions { OnRetry = _ => trips = proxy.CountRoundTrips() },
            Token);

        Assert.Equal(2, attempts);
        Assert.Equal(4, trips!.Count); // BEGIN and lock, read, save, COMMIT
    }

    [Fact]
    public async Task ExecuteUpdateIfVersion_takes_one_and_one_more_to_explain_a_refusal()
    {
        await using var proxy = notes.StartProxy();
        await using var db = notes.Open(connectionString: proxy.ConnectionString);
        var id = (await NoteDatabase.AddNotesAsync(db, 1))[0].Id;
        await WarmUpAsync(db);

        var updated = proxy.CountRoundTrips();
        await db.Notes.ExecuteUpdateIfVersionAsync(id, 1L, s => s.SetProperty(n => n.Number, 1), Token);
        Assert.Equal(1, updated.Count);

        var refused = proxy.CountRoundTrips();
        await db.Notes.ExecuteUpdateIfVersionAsync(id, 1L, s => s.SetProperty(n => n.Number, 1), Token);
        Assert.Equal(2, refused.Count);
    }

    /// <summary>The guard function is asked for once per database, and Npgsql reads types once per connection string.</summary>
    private static async Task WarmUpAsync(NoteContext db)
    {
        db.Add(new Note());
        db.Add(new Note());
        await db.SaveChangesAsync(Token);
        await db.Notes.CountAsync(Token);
    }
}
