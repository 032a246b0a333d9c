using System.CommandLine;
using EfConcurrency.Outbox;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

/// <summary>Which sink. With one there is no question.</summary>
internal static class SinkOption
{
    public static Option<string?> Create() => new("--sink") { Description = "Name of the transport. Needed where there are several." };

    /// <summary>The sinks that were asked for: the one that is named, or all.</summary>
    /// <exception cref="EfcException">There is none of that name.</exception>
    public static async Task<IReadOnlyList<OutboxSinkState>> ListAsync(OperatorDatabase database, string? name, CancellationToken cancellationToken)
    {
        var sinks = await database.Context.OutboxAdmin().ListSinksAsync(cancellationToken);
        if (name is null)
        {
            return sinks;
        }

        return sinks.FirstOrDefault(s => s.Sink == name) is { } sink ? [sink]
            : throw new EfcException(ExitCode.NotFound, sinks.Count == 0 ? NoSink : $"There is no sink '{name}'. There is {Names(sinks)}.");
    }

    /// <summary>The one sink that is to be changed.</summary>
    /// <exception cref="EfcException">There is none of that name, or there are several and none is named.</exception>
    public static async Task<string> ResolveAsync(OperatorDatabase database, string? name, CancellationToken cancellationToken)
        => await ListAsync(database, name, cancellationToken) switch
        {
            [var sink] => sink.Sink,
            [] => throw new EfcException(ExitCode.NotFound, NoSink),
            var several => throw new EfcException(ExitCode.Usage, $"Which sink? There are {Names(several)}: name one with --sink."),
        };

    private const string NoSink = "The outbox has no sink: no dispatcher has run yet.";

    private static string Names(IEnumerable<OutboxSinkState> sinks) => string.Join(", ", sinks.Select(s => s.Sink));
}
