using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>Something that went wrong, on a real database.</summary>
internal abstract class Incident : IAsyncDisposable
{
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What the placeholders of a page stand for.</summary>
    public Dictionary<string, string> Names { get; } = new(StringComparer.Ordinal);

    protected TestDatabase Database { get; private set; } = null!;

    public string ConnectionString => Database.ConnectionString;

    public async Task StageAsync(TestDatabase database)
    {
        Database = database;
        await StageAsync();
    }

    /// <summary>What somebody else does meanwhile: the broker is started again.</summary>
    public virtual Task RepairAsync() => throw new InvalidOperationException($"Nothing of {GetType().Name} is repaired elsewhere.");

    /// <summary>Looks whether following the page had the effect it promises.</summary>
    /// <param name="isActedUpon">Whether it changes something; otherwise nothing has changed.</param>
    public virtual Task CheckAsync(bool isActedUpon) => Task.CompletedTask;

    public async ValueTask DisposeAsync() => await EndAsync();

    protected abstract Task StageAsync();

    /// <summary>Ends what was staged. The database is dropped by its owner.</summary>
    protected virtual Task EndAsync() => Task.CompletedTask;

    protected ShopContext Open() => ShopContext.Open(ConnectionString);

    protected async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T?)await command.ExecuteScalarAsync(Token);
    }

    protected static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            await Task.Delay(15, deadline.Token);
        }
    }
}
