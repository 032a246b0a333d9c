using EfConcurrency.Infrastructure;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Adds EfConcurrency to a context.</summary>
public static class EfConcurrencyDbContextOptionsExtensions
{
    /// <summary>
    /// Makes the saves of the context safe for concurrent writers. Needs <c>UseNpgsql</c>, before or after.
    /// </summary>
    /// <param name="builder">The options of the context.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static DbContextOptionsBuilder UseEfConcurrency(this DbContextOptionsBuilder builder, Action<EfConcurrencyOptionsBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);

        var options = new EfConcurrencyOptionsBuilder(builder.Options.FindExtension<EfConcurrencyOptionsExtension>()?.Options ?? new());
        configure?.Invoke(options);
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new EfConcurrencyOptionsExtension(options.Options));
        return builder;
    }

    /// <inheritdoc cref="UseEfConcurrency(DbContextOptionsBuilder, Action{EfConcurrencyOptionsBuilder}?)"/>
    /// <typeparam name="TContext">The type of the context.</typeparam>
    public static DbContextOptionsBuilder<TContext> UseEfConcurrency<TContext>(
        this DbContextOptionsBuilder<TContext> builder, Action<EfConcurrencyOptionsBuilder>? configure = null)
        where TContext : DbContext
    {
        UseEfConcurrency((DbContextOptionsBuilder)builder, configure);
        return builder;
    }
}
