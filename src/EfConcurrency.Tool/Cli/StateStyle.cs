using Spectre.Console;

namespace EfConcurrency.Tool.Cli;

/// <summary>A cell that says how something stands has the colour for it, the same in all tables.</summary>
internal static class StateStyle
{
    private static readonly Style Good = new(foreground: Color.Green);
    private static readonly Style Worry = new(foreground: Color.Yellow);
    private static readonly Style Bad = new(foreground: Color.Red, decoration: Decoration.Bold);

    public static Style? Of(string cell) => cell switch
    {
        "ok" or "held" or "running" or "completed" or "done" => Good,
        "abandoned" or "warning" or "retry" or "delayed" or "waiting" or "late" or "in progress" => Worry,
        "attention" or "error" or "dead" or "stuck" or "needs resolution" => Bad,
        _ => null,
    };
}
