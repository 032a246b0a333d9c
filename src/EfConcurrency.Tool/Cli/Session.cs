using System.CommandLine;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Cli;

/// <summary>One call of the tool: its arguments, its terminal, and the database, which is connected when it is first asked.</summary>
internal sealed class Session(ParseResult arguments, Screen screen) : IAsyncDisposable
{
    private OperatorDatabase? _database;

    public ParseResult Arguments => arguments;

    public Screen Screen => screen;

    public string Schema => arguments.GetValue(GlobalOptions.Schema)!;

    /// <exception cref="EfcException">There is no usable connection string, or the server is too old.</exception>
    public async Task<OperatorDatabase> ConnectAsync(CancellationToken cancellationToken)
        => _database ??= await OperatorDatabase.ConnectAsync(ConnectionSettings.Resolve(arguments.GetValue(GlobalOptions.Connection)), Schema, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }
}
