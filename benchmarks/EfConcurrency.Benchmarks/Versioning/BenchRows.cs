using EfConcurrency.WriteEnvelope;
using Npgsql;

namespace EfConcurrency.Benchmarks.Versioning;

/// <summary>The tables, and rows for whoever asks.</summary>
internal sealed class BenchRows(string connectionString)
{
    private int _next;

    public string ConnectionString => connectionString;

    public async Task CreateAsync()
    {
        await using var db = await BenchFactory.Create<VersionedContext>(connectionString, ServerJudgedSaves.WhenAvailable).CreateDbContextAsync();
        await db.Database.EnsureCreatedAsync();
    }

    /// <summary>Inserts rows and gives the first id.</summary>
    public async Task<int> TakeAsync(int count)
    {
        var first = _next + 1;
        _next += count;
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var insert = new NpgsqlCommand("insert into row (\"Id\", \"Value\", \"Version\") select i, 0, 1 from generate_series(@first, @last) i", connection);
        insert.Parameters.AddWithValue("first", first);
        insert.Parameters.AddWithValue("last", _next);
        await insert.ExecuteNonQueryAsync();
        return first;
    }
}
