using System.CommandLine;
using System.Globalization;

namespace EfConcurrency.Tool.Cli;

/// <summary>A length of time as people write it: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>, <c>00:05:00</c>; <c>0</c> is none.</summary>
internal static class DurationOption
{
    /// <param name="name">With its dashes.</param>
    /// <param name="description">For the help.</param>
    /// <param name="byDefault">In the same form; null: zero.</param>
    public static Option<TimeSpan> Of(string name, string description, string? byDefault = null)
    {
        var option = new Option<TimeSpan>(name)
        {
            HelpName = "time",
            Description = description,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (Parse(text) is { } time)
                {
                    return time;
                }

                result.AddError($"{name} {text}: no length of time. Write it as 500ms, 30s, 5m, 2h or 7d.");
                return default;
            },
        };
        if (byDefault is not null)
        {
            option.DefaultValueFactory = _ => Parse(byDefault)!.Value;
        }

        return option;
    }

    /// <summary>Null when it is none.</summary>
    public static TimeSpan? Parse(string text)
    {
        // With a colon only: to .NET, "30" is 30 days.
        if (text.Contains(':', StringComparison.Ordinal))
        {
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && time >= TimeSpan.Zero ? time : null;
        }

        var digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        if (!double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 1e6)
        {
            return null;
        }

        return text[digits..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" or "min" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            "d" => TimeSpan.FromDays(number),
            "" when number == 0 => TimeSpan.Zero,
            _ => null,
        };
    }
}
