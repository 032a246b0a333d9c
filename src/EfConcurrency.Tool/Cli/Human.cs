using System.Globalization;

namespace EfConcurrency.Tool.Cli;

/// <summary>Times as people read them at night.</summary>
internal static class Human
{
    /// <summary><c>340 ms</c>, <c>12 s</c>, <c>3 min 5 s</c>, <c>2 h 4 min</c>, <c>3 d 1 h</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        var text = time.Duration() switch
        {
            { TotalSeconds: < 1 } t => $"{t.Milliseconds} ms",
            { TotalMinutes: < 1 } t => $"{t.Seconds} s",
            { TotalHours: < 1 } t => $"{t.Minutes} min{And(t.Seconds, "s")}",
            { TotalDays: < 1 } t => $"{t.Hours} h{And(t.Minutes, "min")}",
            var t => $"{t.Days} d{And(t.Hours, "h")}",
        };
        return time < TimeSpan.Zero ? "-" + text : text;
    }

    public static string? Duration(double? seconds) => seconds is { } value ? Duration(TimeSpan.FromSeconds(value)) : null;

    public static string? Time(DateTimeOffset? time) => time?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>One line, cut where it is too long.</summary>
    public static string? Cut(string? text, int length)
        => text?.ReplaceLineEndings(" ") is { } line ? line.Length <= length ? line : string.Concat(line.AsSpan(0, length - 1), "…") : null;

    /// <summary><c>1 job</c>, <c>2 jobs</c>.</summary>
    public static string Count(long count, string one) => count == 1 ? $"1 {one}" : $"{count} {one}s";

    /// <summary>Some names of many: <c>a, b and 3 more</c>.</summary>
    public static string Names(IReadOnlyCollection<string> some, long all)
        => string.Join(", ", some) + (all > some.Count ? $" and {all - some.Count} more" : "");

    private static string And(int lesser, string unit) => lesser == 0 ? "" : $" {lesser} {unit}";
}
