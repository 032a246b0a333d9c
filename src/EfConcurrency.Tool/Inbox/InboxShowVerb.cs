using System.CommandLine;
using EfConcurrency.Inbox;
using EfConcurrency.Tool.Cli;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Inbox;

internal sealed class InboxShowVerb : Verb
{
    private readonly Argument<string> _message = new("message-id") { Description = "The producer's id: a UUID, or any text." };
    private readonly Option<string?> _consumer = new("--consumer") { Description = "Only this consumer; also the faster question." };

    public InboxShowVerb()
        : base("show", "Which consumers have accepted a message, and when.")
    {
        Add(_message);
        Add(_consumer);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var (id, consumer) = (session.Arguments.GetValue(_message)!, session.Arguments.GetValue(_consumer));
        var database = await session.ConnectAsync(cancellationToken);
        InboxMessageInfo found;
        try
        {
            found = await database.Context.InboxAdmin().FindAsync(id, consumer, cancellationToken);
        }
        catch (ArgumentException impossible)
        {
            throw new EfcException(ExitCode.Usage, impossible.Message, impossible);
        }

        var window = Window(found);
        if (found.Accepted.Count == 0)
        {
            throw new EfcException(
                ExitCode.NotFound,
                $"{(consumer is null ? "No consumer" : $"Consumer {consumer}, if there is one,")} {(consumer is null ? "has accepted" : "has not accepted")} message {id}, as far as the inbox knows. "
                + (window ?? "It was not handled, or its transaction was rolled back."));
        }

        session.Screen.Details(
            new InboxRow(id, found.SentAt, found.IsInsideWindow, found.WindowDays, [.. found.Accepted.Select(a => new AcceptanceRow(a.Consumer, a.AcceptedAt))]),
            [
                ("message", id),
                ("sent", Human.Time(found.SentAt)),
                .. found.Accepted.Select(a => ($"accepted by {a.Consumer}", Human.Time(a.AcceptedAt))),
                ("window", window),
            ]);
        return ExitCode.Ok;
    }

    /// <summary>What there is to say about a message that the inbox refuses.</summary>
    private static string? Window(InboxMessageInfo found)
        => found.IsInsideWindow ? null
            : found.SentAt > found.DatabaseTime ? $"Its id is of {Human.Time(found.SentAt)}, in the future by the database's clock: it is refused until then."
            : $"Its id is of {Human.Time(found.SentAt)}, outside of the window of {found.WindowDays} days: it is refused now, and who handled it then is being forgotten.";
}
