using EfConcurrency.Tool.Cli;
using Spectre.Console;

namespace EfConcurrency.Tool.Status;

internal sealed class StatusVerb : Verb
{
    private readonly StatusOptions _options = new();

    public StatusVerb()
        : base("status", "One line for each part: what is held, late, stuck or dead. Exit code 1 when something needs attention.")
        => _options.AddTo(this);

    public static Table Table(Screen screen, StatusReport report)
        => screen.Table(report.Rooms, ("room", r => r.Room), ("state", r => Word(r.State)), ("", r => r.Summary));

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var report = await StatusReader.ReadAsync(database, _options.Of(session.Arguments), cancellationToken);
        session.Screen.Show(report, () => session.Screen.Out.Write(Table(session.Screen, report)));
        return report.NeedsAttention ? ExitCode.Findings : ExitCode.Ok;
    }

    private static string Word(RoomState state) => state == RoomState.NotUsed ? "-" : state.ToString().ToLowerInvariant();
}
