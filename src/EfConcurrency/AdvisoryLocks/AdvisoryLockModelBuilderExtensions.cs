using EfConcurrency.AdvisoryLocks;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Declares the table of names of advisory locks.</summary>
public static class AdvisoryLockModelBuilderExtensions
{
    /// <summary>
    /// Adds a table that keeps the names of advisory locks, so that <c>GetLockHoldersAsync</c> can tell them by name. Costs one small statement, on a
    /// connection of its own, when a process first uses a name. Optional: without it a name is only known while somebody waits and shows it in the statement.
    /// Not for names without number (one an order, say), of which it would keep every one.
    /// </summary>
    /// <param name="modelBuilder">The model's builder.</param>
    /// <param name="configure">Changes schema or name of the table.</param>
    /// <returns><paramref name="modelBuilder"/>.</returns>
    /// <exception cref="ArgumentException">The schema or the name is empty.</exception>
    public static ModelBuilder HasAdvisoryLockNames(this ModelBuilder modelBuilder, Action<AdvisoryLockNamesOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var options = new AdvisoryLockNamesOptions();
        configure?.Invoke(options);
        options.Validate();
        modelBuilder.Entity<AdvisoryLockName>(name =>
        {
            name.ToTable(options.Table, options.Schema);
            name.HasKey(n => n.Key);
            name.Property(n => n.Key).HasColumnName("key").ValueGeneratedNever();
            name.Property(n => n.Namespace).HasColumnName("namespace");
            name.Property(n => n.Name).HasColumnName("name");
            name.Property(n => n.FirstUsedAt).HasColumnName("first_used_at").HasDefaultValueSql("clock_timestamp()");
        });
        return modelBuilder;
    }
}
