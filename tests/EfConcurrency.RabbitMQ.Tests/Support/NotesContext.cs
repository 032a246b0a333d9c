using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>What handlers write: one row for each time they had effect.</summary>
public sealed class NotesContext(DbContextOptions<NotesContext> options) : DbContext(options)
{
    public DbSet<Note> Notes => Set<Note>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasOutbox().HasInbox();
}

public sealed class Note
{
    public long Id { get; init; }

    public string? Key { get; init; }

    public required string Text { get; init; }
}

/// <summary>The message.</summary>
/// <param name="Text">What to note.</param>
public sealed record NoteAdded(string Text);
