using EfConcurrency.Infrastructure;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Benchmarks.Outbox;

/// <summary>The row of the business.</summary>
internal sealed class OutboxRow
{
    public int Id { get; set; }

    public int Value { get; set; }

    public long Version { get; private set; } = 1;
}

/// <summary>An outbox as it is mostly built: an entity a message, with the columns of the log.</summary>
internal sealed class MessageEntity
{
    public long Id { get; set; }

    public short Lane { get; set; }

    public Guid MessageId { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public string? Key { get; set; }

    public string Topic { get; set; } = "";

    public string Type { get; set; } = "";

    public string Headers { get; set; } = "";

    public byte[] Payload { get; set; } = [];
}

/// <summary>The event of which the messages tell: some 200 bytes of JSON.</summary>
internal sealed record RowRaised(int Id, int Value, string Customer, string Street, string City, decimal Amount, string Currency, DateTimeOffset At);

internal abstract class OutboxContext(DbContextOptions options, bool isVersioned) : DbContext(options)
{
    public static void Configure(EfConcurrencyOptionsBuilder options)
        => options.UseMessages(m => m.Add<RowRaised>("row.raised.v1")).UseOutbox(o => o.Source = "/bench");

    public static RowRaised Event(int row, int value)
        => new(row, value, "Ada Lovelace and daughters", "12 St James's Square", "London", 129.95m, "GBP", new(2026, 11, 21, 10, 30, 0, TimeSpan.Zero));

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasOutbox();
        modelBuilder.Entity<MessageEntity>(message =>
        {
            message.ToTable("message_entity");
            message.Property(m => m.CreatedAt).HasDefaultValueSql("now()");
            message.Property(m => m.Headers).HasColumnType("jsonb");
        });
        modelBuilder.Entity<OutboxRow>(row =>
        {
            row.ToTable("row");
            if (isVersioned)
            {
                row.HasVersion(r => r.Version);
            }
        });
    }
}

internal sealed class UnversionedContext(DbContextOptions<UnversionedContext> options) : OutboxContext(options, isVersioned: false);

internal sealed class VersionedOutboxContext(DbContextOptions<VersionedOutboxContext> options) : OutboxContext(options, isVersioned: true);
