using System.CommandLine;
using EfConcurrency.Outbox;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Database;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

internal sealed class OutboxListVerb : Verb
{
    private const int LongestError = 80;

    private readonly Option<bool> _dead = new("--dead") { Description = "Dead letters instead of sinks." };
    private readonly Option<bool> _waiting = new("--waiting") { Description = "Messages that are retried, follow one that is, or wait for their time, instead of sinks." };
    private readonly Option<string?> _sink = SinkOption.Create();
    private readonly Option<int> _count = CountOption.Create();

    public OutboxListVerb()
        : base("list", "Sinks with their lag, lanes and dispatchers; or messages that wait or are dead.")
    {
        Add(_dead);
        Add(_waiting);
        Add(_sink);
        Add(_count);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var sinks = await SinkOption.ListAsync(database, session.Arguments.GetValue(_sink), cancellationToken);
        if (session.Arguments.GetValue(_dead) || session.Arguments.GetValue(_waiting))
        {
            await ListMessagesAsync(session, database, sinks, cancellationToken);
        }
        else
        {
            await ListSinksAsync(session, database, sinks, cancellationToken);
        }

        return ExitCode.Ok;
    }

    private static async Task ListSinksAsync(Session session, OperatorDatabase database, IReadOnlyList<OutboxSinkState> sinks, CancellationToken cancellationToken)
    {
        var now = await database.ClockAsync(cancellationToken);
        var rows = new List<SinkRow>();
        foreach (var sink in sinks)
        {
            rows.Add(SinkRow.Of(sink, await database.Context.OutboxAdmin().GetLagAsync(sink.Sink, cancellationToken), now));
        }

        session.Screen.List(
            rows,
            "No sink: no dispatcher has run yet.",
            ("sink", s => s.Sink),
            ("undelivered", s => $"{s.Undelivered}"),
            ("retrying", s => $"{s.Retrying}"),
            ("delayed", s => $"{s.Delayed}"),
            ("dead", s => $"{s.Dead}"),
            ("oldest", s => Human.Duration(s.OldestSeconds)),
            ("lanes led", s => $"{s.LanesLed} of {s.Lanes}"),
            ("dispatchers", s => s.Dispatchers.Count == 0 ? "none" : string.Join("; ", s.Dispatchers)));
    }

    private async Task ListMessagesAsync(Session session, OperatorDatabase database, IReadOnlyList<OutboxSinkState> sinks, CancellationToken cancellationToken)
    {
        var count = session.Arguments.GetValue(_count);
        var admin = database.Context.OutboxAdmin();
        var rows = new List<WaitingRow>();
        foreach (var sink in sinks)
        {
            if (session.Arguments.GetValue(_waiting))
            {
                rows.AddRange((await admin.ListWaitingAsync(sink.Sink, count, cancellationToken: cancellationToken)).Select(WaitingRow.Of));
            }

            if (session.Arguments.GetValue(_dead))
            {
                rows.AddRange((await admin.ListDeadLettersAsync(sink.Sink, count, cancellationToken: cancellationToken)).Select(WaitingRow.Of));
            }
        }

        session.Screen.List(
            rows,
            "No message.",
            ("message", m => $"{m.MessageId}"),
            ("sink", m => m.Sink),
            ("state", m => m.State.ToString().ToLowerInvariant()),
            ("attempts", m => $"{m.Attempts}"),
            ("type", m => m.Type),
            ("key", m => m.Key),
            ("enqueued", m => Human.Time(m.CreatedAt)),
            ("next try", m => Human.Time(m.DueAt)),
            ("last error", m => Human.Cut(m.LastError, LongestError)));
    }
}
