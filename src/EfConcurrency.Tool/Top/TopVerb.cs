using System.CommandLine;
using EfConcurrency.Tool.Cli;
using EfConcurrency.Tool.Locks;
using EfConcurrency.Tool.Status;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace EfConcurrency.Tool.Top;

internal sealed class TopVerb : Verb
{
    private readonly Option<TimeSpan> _interval = DurationOption.Of("--interval", "Pause between two looks.", "2s");
    private readonly StatusOptions _options = new();

    public TopVerb()
        : base("top", "The status live, with who waits for whom, the longest waits and the leases that expire next; q quits. Once when piped or as JSON.")
    {
        Add(_interval);
        _options.AddTo(this);
    }

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var (screen, thresholds) = (session.Screen, _options.Of(session.Arguments));
        var database = await session.ConnectAsync(cancellationToken);
        if (screen.IsInteractive)
        {
            await LiveView.RunAsync(
                session, session.Arguments.GetValue(_interval), async token => Render(screen, await TopReader.ReadAsync(database, thresholds, token)), cancellationToken);
            return ExitCode.Ok;
        }

        var view = await TopReader.ReadAsync(database, thresholds, cancellationToken);
        screen.Show(view, () => screen.Out.Write(Render(screen, view)));
        return view.Status.NeedsAttention ? ExitCode.Findings : ExitCode.Ok;
    }

    private static Rows Render(Screen screen, TopView view)
    {
        var parts = new List<IRenderable>
        {
            new Text($"efc top  {Human.Time(view.Status.At)}", new Style(decoration: Decoration.Bold)),
            StatusVerb.Table(screen, view.Status),
            BlockingTree.Render(screen, view.Tree),
        };
        if (view.LongestWaits.Count > 0)
        {
            parts.Add(screen.Table(
                view.LongestWaits,
                ("longest waits", w => w.WaitsFor),
                ("for", w => Human.Duration(w.Seconds)),
                ("pid", w => $"{w.Pid}"),
                ("application", w => w.Application)));
        }

        if (view.ExpiringLeases.Count > 0)
        {
            parts.Add(screen.Table(
                view.ExpiringLeases,
                ("leases that expire next", l => l.Name),
                ("left", l => Human.Duration(l.RemainingSeconds)),
                ("token", l => $"{l.FencingToken}"),
                ("holder", l => l.Holder)));
        }

        return new(parts);
    }
}
