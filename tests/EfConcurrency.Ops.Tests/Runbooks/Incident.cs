using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>Something that went wrong, on a real database.</summary>
internal abstract class Incident : IAsyncDisposable
{
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What the placeholders of a page stand for.</summary>
    public Dictionary<string, string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>What a question must answer while it lasts, and must not afterwards. By the question, as a page writes it.</summary>
    public Dictionary<string, string> Signs { get; } = new(StringComparer.Ordinal);

    public string ConnectionString { get; private set; } = null!;

    public Task StageAsync(TestDatabase database)
    {
        ConnectionString = database.ConnectionString;
        return StageAsync();
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
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (!await condition())
        {
            await Task.Delay(15, deadline.Token);
        }
    }
}
