using Microsoft.EntityFrameworkCore;

namespace OutboxHost;

/// <summary>Items whose every change is told to others, and what the others have understood.</summary>
public sealed class StormContext(DbContextOptions<StormContext> options) : DbContext(options)
{
    public DbSet<Item> Items => Set<Item>();

    public DbSet<Applied> Applied => Set<Applied>();

    public static void Configure(DbContextOptionsBuilder options, string connectionString) => options
        .UseNpgsql(connectionString)
        .UseEfConcurrency(o => o.UseMessages(m => m.Add<ItemChanged>("item.changed.v1")));

    public static DbContextOptions<StormContext> Options(string connectionString)
    {
        var builder = new DbContextOptionsBuilder<StormContext>();
        Configure(builder, connectionString);
        return builder.Options;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasOutbox().HasInbox();
        modelBuilder.Entity<Item>().HasVersion(i => i.Version);
    }
}

/// <summary>What is written: its version says how often.</summary>
public sealed class Item
{
    public int Id { get; set; }

    public long Version { get; set; }

    public string Text { get; set; } = "";
}

/// <summary>An effect of a message. No constraint keeps a second one out: that is what is looked for.</summary>
public sealed class Applied
{
    public long Id { get; set; }

    public int ItemId { get; set; }

    public long Number { get; set; }

    /// <summary>The highest number of the item that had been applied before; 0: none.</summary>
    public long After { get; set; }
}

/// <summary>A change of an item.</summary>
/// <param name="ItemId">Which.</param>
/// <param name="Number">Its how many-th.</param>
public sealed record ItemChanged(int ItemId, long Number);
