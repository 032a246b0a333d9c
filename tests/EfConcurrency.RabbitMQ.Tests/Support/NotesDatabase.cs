using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>A database for one test class.</summary>
public sealed class NotesDatabase(Servers servers) : IAsyncLifetime
{
    private TestDatabase? _database;

    public string ConnectionString => _database!.ConnectionString;

    public async ValueTask InitializeAsync()
    {
        _database = await servers.Postgres.CreateDatabaseAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync();
    }

    public ValueTask DisposeAsync() => _database!.DisposeAsync();

    public static void Configure(DbContextOptionsBuilder options, string connectionString)
        => options.UseNpgsql(connectionString).UseEfConcurrency(e => e.UseMessages(m => m.Add<NoteAdded>("note.added.v1")));

    internal NotesContext Open()
    {
        var options = new DbContextOptionsBuilder<NotesContext>();
        Configure(options, ConnectionString);
        return new(options.Options);
    }

    /// <summary>The notes whose texts begin so, in the order in which they were written.</summary>
    internal async Task<List<Note>> NotesAsync(string prefix)
    {
        await using var db = Open();
        return await db.Notes.AsNoTracking().Where(n => n.Text.StartsWith(prefix)).OrderBy(n => n.Id).ToListAsync(TestContext.Current.CancellationToken);
    }

    internal Task UntilNotedAsync(string prefix, int count) => Eventually.IsTrueAsync(async () => await CountAsync(prefix) >= count);

    internal async Task<int> CountAsync(string prefix)
    {
        await using var db = Open();
        return await db.Notes.CountAsync(n => n.Text.StartsWith(prefix), TestContext.Current.CancellationToken);
    }
}
