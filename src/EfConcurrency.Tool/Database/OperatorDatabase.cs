using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Tool.Database;

/// <summary>The database, connected: through the library's own code (<see cref="Context"/>), or by statements of the tool's own (<see cref="Source"/>).</summary>
internal sealed class OperatorDatabase : IAsyncDisposable
{
    private const int OldestServer = 14;

    private OperatorDatabase(NpgsqlDataSource source, string schema)
    {
        Source = source;
        Schema = schema;
        Context = new(
            new DbContextOptionsBuilder<OperatorContext>().UseNpgsql(source).UseEfConcurrency(o => o.UseSchema(schema)).Options,
            schema);
    }

    public NpgsqlDataSource Source { get; }

    public OperatorContext Context { get; }

    public string Schema { get; }

    /// <exception cref="EfcException">The server is too old.</exception>
    public static async Task<OperatorDatabase> ConnectAsync(NpgsqlConnectionStringBuilder settings, string schema, CancellationToken cancellationToken)
    {
        var source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            if (connection.PostgreSqlVersion.Major < OldestServer)
            {
                throw new EfcException(ExitCode.NoConnection, $"The server is PostgreSQL {connection.PostgreSqlVersion}; EfConcurrency needs {OldestServer} or newer.");
            }

            return new(source, schema);
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Context.DisposeAsync();
        await Source.DisposeAsync();
    }
}
