using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Tool.Database;

/// <summary>The database, connected: through the library's own code (<see cref="Context"/>), or by statements of the tool's own (<see cref="Source"/>).</summary>
internal sealed class OperatorDatabase : IAsyncDisposable
{
    private const int OldestServer = 14;

    private OperatorContext? _context;

    private OperatorDatabase(NpgsqlDataSource source, NpgsqlConnectionStringBuilder settings, string schema, LibraryTables tables)
    {
        Source = source;
        Settings = settings;
        Schema = schema;
        Tables = tables;
    }

    public NpgsqlDataSource Source { get; }

    /// <summary>How it was connected. Holds a password: never to be shown.</summary>
    public NpgsqlConnectionStringBuilder Settings { get; }

    public string Schema { get; }

    public LibraryTables Tables { get; }

    /// <summary>Made when it is first asked for: a model takes longer to build than most questions take to answer.</summary>
    public OperatorContext Context => _context ??= new(
        new DbContextOptionsBuilder<OperatorContext>().UseNpgsql(Source).UseEfConcurrency(o => o.UseSchema(Schema)).Options,
        Schema,
        hasLockNames: Tables.CanRead(LibraryTables.AdvisoryLockName));

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

            return new(source, settings, schema, await LibraryTables.ReadAsync(connection, schema, cancellationToken));
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
    }

    /// <summary>The database's time: ages are counted by its clock, not by this machine's.</summary>
    public async Task<DateTimeOffset> ClockAsync(CancellationToken cancellationToken)
    {
        await using var command = Source.CreateCommand(DatabaseSql.Clock);
        return new((DateTime)(await command.ExecuteScalarAsync(cancellationToken))!);
    }

    public async ValueTask DisposeAsync()
    {
        if (_context is not null)
        {
            await _context.DisposeAsync();
        }

        await Source.DisposeAsync();
    }
}
