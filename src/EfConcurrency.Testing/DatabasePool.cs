using Npgsql;

namespace EfConcurrency.Testing;

/// <summary>Makes databases one ahead of demand: while one test class runs, the next one's database is being made.</summary>
internal sealed class DatabasePool(string server) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private Task<TestDatabase>? _next;

    public async Task<TestDatabase> TakeAsync(CancellationToken cancellationToken)
    {
        Task<TestDatabase> mine;
        lock (_lock)
        {
            // One that failed was asked for while the server was down, or a standby: that may be over.
            mine = _next is { IsFaulted: false } ? _next : CreateAsync();
            _next = CreateAsync();
        }

        return await mine.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        Task<TestDatabase>? unused;
        lock (_lock)
        {
            unused = _next;
            _next = null;
        }

        if (unused is not null)
        {
            try
            {
                await (await unused.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
            }
            catch (NpgsqlException)
            {
                // The server is gone already, and the database with it.
            }
        }
    }

    private async Task<TestDatabase> CreateAsync()
    {
        var name = "efc_" + Guid.NewGuid().ToString("n");
        await PostgresQuery.ExecuteAsync(server, $"create database \"{name}\" template template0", CancellationToken.None).ConfigureAwait(false);
        return new(server, name);
    }
}
