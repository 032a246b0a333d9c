using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>A pooled factory, as an application has it.</summary>
public static class ShopFactory
{
    public static PooledDbContextFactory<ShopContext> Create(
        string connectionString, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null, Action<DbContextOptionsBuilder>? configure = null)
    {
        var options = new DbContextOptionsBuilder<ShopContext>().UseNpgsql(connectionString, npgsql).UseEfConcurrency();
        configure?.Invoke(options);
        return new(options.Options);
    }
}
