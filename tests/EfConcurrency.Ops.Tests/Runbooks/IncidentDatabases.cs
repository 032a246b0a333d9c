using EfConcurrency.Ops.Tests.Support;
using EfConcurrency.Testing;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>A database for each incident, with the tables of every room.</summary>
public sealed class IncidentDatabases(PostgresServer server)
{
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    /// <summary>Whether this was not asked before. Tests of a class run one after the other.</summary>
    public bool IsNew(string question) => _asked.Add(question);

    public async Task<TestDatabase> CreateAsync()
    {
        var database = await server.Server.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        await using var shop = ShopContext.Open(database.ConnectionString);
        await shop.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
        return database;
    }
}
