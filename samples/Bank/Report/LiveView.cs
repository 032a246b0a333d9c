using System.Globalization;
using Bank.Storm;
using Spectre.Console;

namespace Bank.Report;

/// <summary>A table that changes in place, for a terminal.</summary>
internal sealed class LiveView : IStormView
{
    private readonly Dictionary<StormMode, StormTotals> _totals = [];
    private readonly Lock _lock = new();
    private readonly LiveDisplayContext _display;
    private string _told = "";

    private LiveView(LiveDisplayContext display) => _display = display;

    public static Task RunAsync(Func<IStormView, Task> run)
        => AnsiConsole.Live(new Table()).StartAsync(display => run(new LiveView(display)));

    public void Show(StormMode mode, StormTotals totals)
    {
        lock (_lock)
        {
            _totals[mode] = totals;
            Draw();
        }
    }

    public void Tell(StormMode mode, string what)
    {
        lock (_lock)
        {
            _told = $"{mode.Label()}: {what}";
            Draw();
        }
    }

    private static string Number(int number) => number.ToString("n0", CultureInfo.InvariantCulture);

    private static string Milliseconds(double? value) => value is { } ms ? ms.ToString("0.0 ms", CultureInfo.InvariantCulture) : "";

    private void Draw()
    {
        var table = new Table().Caption(Markup.Escape(_told));
        table.AddColumns("", "transfers", "conflicts", "retries", "given up", "p50", "p99");
        foreach (var column in table.Columns.Skip(1))
        {
            column.RightAligned();
        }

        foreach (var (mode, t) in _totals)
        {
            table.AddRow(mode.Label(), Number(t.Done), Number(t.Conflicts), Number(t.Retries), Number(t.GivenUp), Milliseconds(t.P50), Milliseconds(t.P99));
        }

        _display.UpdateTarget(table);
    }
}
