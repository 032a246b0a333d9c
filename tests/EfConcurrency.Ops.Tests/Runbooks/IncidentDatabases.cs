using EfConcurrency.Ops.Tests.Support;
using EfConcurrency.Testing;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>A database for each incident, with the tables of every room.</summary>
public sealed class IncidentDatabases(PostgresServer server)
{
    private readonly HashSet<string> _run = new(StringComparer.Ordinal);

    /// <summary>Whether a test of the class has done this already. They run one after the other.</summary>
    public bool WasRun(string step) => _run.Contains(step);

    public void HasRun(string step) => _run.Add(step);

    public async Task<TestDatabase> CreateAsync()
    {
        var database = await server.Server.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        await using var shop = ShopContext.Open(database.ConnectionString);
        await shop.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
        return database;
    }
}
