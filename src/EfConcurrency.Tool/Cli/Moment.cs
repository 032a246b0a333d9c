using System.CommandLine;
using System.Globalization;

namespace EfConcurrency.Tool.Cli;

/// <summary>A moment as people give it: so long ago by the database's clock, or a time.</summary>
/// <param name="Ago">How long ago; null when <paramref name="At"/> says it.</param>
/// <param name="At">The time.</param>
internal readonly record struct Moment(TimeSpan? Ago, DateTimeOffset At)
{
    public static Option<Moment?> Option(string name, string description) => new(name)
    {
        HelpName = "moment",
        Description = $"{description} As 2h, 7d (ago), or 2026-11-21T03:00Z (UTC unless it says otherwise).",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (Parse(text) is { } moment)
            {
                return moment;
            }

            result.AddError($"{name} {text}: no moment. Write it as 2h or 7d (ago), or as 2026-11-21T03:00Z.");
            return null;
        },
    };

    /// <param name="now">By the database's clock.</param>
    public DateTimeOffset Resolve(DateTimeOffset now) => Ago is { } ago ? now - ago : At;

    private static Moment? Parse(string text)
        => DurationOption.Parse(text) is { } ago ? new(ago, default)
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? new(null, at)
            : null;
}
