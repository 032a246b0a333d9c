using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfConcurrency.PostgresTests.WriteEnvelope;

/// <summary>A save that the server judges reports a refusal as EF does: the same exception, entries, events.</summary>
public sealed class ServerJudgedSaveTests(NoteDatabase notes) : IClassFixture<NoteDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task The_refused_row_is_the_one_that_EF_names(int stale)
    {
        foreach (var judge in (ServerJudgedSaves[])[ServerJudgedSaves.WhenAvailable, ServerJudgedSaves.Never])
        {
            var told = new TellConflicts();
            await using var db = notes.Open(judge, configure: o => o.AddInterceptors(told));
            var saved = await NoteDatabase.AddNotesAsync(db, 5);
            await notes.TouchAsync(saved[stale]);
            saved.ForEach(n => n.Number = 7);

            var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesAsync(Token));

            var inner = Assert.IsType<DbUpdateConcurrencyException>(conflict.InnerException);
            Assert.Same(saved[stale], Assert.Single(inner.Entries).Entity);
            Assert.Same(saved[stale], Assert.Single(conflict.Entries).Entity);
            Assert.Equal(saved[stale].Id, Assert.Single(conflict.Conflicts).Key["Id"]);
            Assert.Equal([saved[stale]], told.Entities);
            Assert.All(saved, n => Assert.Equal(EntityState.Modified, db.Entry(n).State));
        }
    }

    [Fact]
    public async Task All_stale_rows_are_reported_not_the_first_alone()
    {
        await using var db = notes.Open();
        var saved = await NoteDatabase.AddNotesAsync(db, 5);
        await notes.TouchAsync(saved[1]);
        await notes.TouchAsync(saved[3]);
        await notes.ExecuteAsync($"delete from \"Notes\" where \"Id\" = {saved[4].Id}");
        saved.ForEach(n => n.Number = 7);

        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesAsync(Token));

        Assert.Equal(
            [(saved[1].Id, false, 2L), (saved[3].Id, false, 2L), (saved[4].Id, true, null)],
            conflict.Conflicts.Select(c => ((int)c.Key["Id"]!, c.IsDeleted, (long?)c.Actual)));
        Assert.All(conflict.Conflicts, c => Assert.Equal(["Number"], c.ChangedProperties));
    }

    [Fact]
    public async Task An_interceptor_may_suppress_the_refusal_as_with_EF()
    {
        await using var db = notes.Open(configure: o => o.AddInterceptors(new SuppressConflicts()));
        var saved = await NoteDatabase.AddNotesAsync(db, 3);
        await notes.TouchAsync(saved[1]);
        saved.ForEach(n => n.Number = 7);

        await db.SaveChangesAsync(Token);

        Assert.Equal(2L, await notes.ScalarAsync<long>($"select count(*) from \"Notes\" where \"Number\" = 7 and \"Id\" in ({string.Join(',', saved.Select(n => n.Id))})"));
    }

    /// <summary>The refused pass has already returned a key for the new row, which was rolled back with it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refused_save_leaves_no_generated_key_in_a_new_entity(bool sync)
    {
        await using var db = notes.Open();
        var saved = await NoteDatabase.AddNotesAsync(db, 1);
        await notes.TouchAsync(saved[0]);
        saved[0].Number = 7;
        var added = new Note();
        var loose = new Loose();
        db.AddRange(added, loose);

        Assert.IsType<VersionConflictException>(await Record.ExceptionAsync(async () => _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token)));
        Assert.Equal((0, 0, 0L), (added.Id, loose.Id, added.Version));

        await db.Entry(saved[0]).ReloadAsync(Token);
        await db.SaveChangesAsync(Token);
        Assert.True(added.Id > 0 && loose.Id > 0);
        Assert.Equal(1, added.Version);
    }

    [Fact]
    public async Task Without_the_function_EF_judges_in_a_transaction()
    {
        await using var own = await notes.CreateDatabaseAsync();
        await using var db = notes.Open(connectionString: own.ConnectionString);
        await db.Database.EnsureCreatedAsync(Token);
        await db.Database.ExecuteSqlRawAsync("drop function efc.require_row(bigint, integer)", Token);

        var saved = await NoteDatabase.AddNotesAsync(db, 3);
        saved.ForEach(n => n.Number = 7);
        Assert.Equal(3, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task A_function_that_goes_away_while_the_application_runs_costs_no_save()
    {
        await using var own = await notes.CreateDatabaseAsync();
        await using var db = notes.Open(connectionString: own.ConnectionString);
        await db.Database.EnsureCreatedAsync(Token);
        var saved = await NoteDatabase.AddNotesAsync(db, 3);
        await db.Database.ExecuteSqlRawAsync("drop function efc.require_row(bigint, integer)", Token);

        saved.ForEach(n => n.Number = 7);
        Assert.Equal(3, await db.SaveChangesAsync(Token));

        saved.ForEach(n => n.Number = 8);
        Assert.Equal(3, db.SaveChanges());
        Assert.All(saved, n => Assert.Equal(3, n.Version));
    }

    [Fact]
    public async Task A_role_that_may_not_call_the_function_saves_all_the_same()
    {
        await using var own = await notes.CreateDatabaseAsync();
        await using (var owner = notes.Open(connectionString: own.ConnectionString))
        {
            await owner.Database.EnsureCreatedAsync(Token);
            var role = "app_" + own.Name;
            await owner.Database.ExecuteSqlRawAsync(
                $"create role {role} login; grant all on all tables in schema public to {role}; grant all on all sequences in schema public to {role}; revoke usage on schema efc from public", Token);
            var builder = new Npgsql.NpgsqlConnectionStringBuilder(own.ConnectionString) { Username = role };

            await using (var db = notes.Open(connectionString: builder.ConnectionString))
            {
                var saved = await NoteDatabase.AddNotesAsync(db, 3);
                saved.ForEach(n => n.Number = 7);
                Assert.Equal(3, await db.SaveChangesAsync(Token));
            }

            Npgsql.NpgsqlConnection.ClearAllPools();
            await owner.Database.ExecuteSqlRawAsync($"drop owned by {role}; drop role {role}", Token);
        }
    }

    private sealed class TellConflicts : SaveChangesInterceptor
    {
        public List<object> Entities { get; } = [];

        public override ValueTask<InterceptionResult> ThrowingConcurrencyExceptionAsync(ConcurrencyExceptionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            Entities.AddRange(eventData.Entries.Select(e => e.Entity));
            return ValueTask.FromResult(result);
        }
    }

    private sealed class SuppressConflicts : SaveChangesInterceptor
    {
        public override ValueTask<InterceptionResult> ThrowingConcurrencyExceptionAsync(ConcurrencyExceptionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
            => ValueTask.FromResult(InterceptionResult.Suppress());
    }
}
