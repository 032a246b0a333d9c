using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.RegularExpressions;
using EfConcurrency.Diagnostics;
using EfConcurrency.Tests.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Tests.Habits;

/// <summary>What operators build on: event ids, instruments and tags. Names follow OpenTelemetry's rules: https://opentelemetry.io/docs/specs/semconv/general/naming/</summary>
public sealed partial class TelemetryNameTests
{
    private const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    [Fact]
    public void Event_ids_are_given_once()
        => Habit.Holds(
            "An event id is given once, from 60000 to 69999 (EF Core uses 10000 to 39999).",
            Ids(typeof(EventIds).GetFields(Static).Where(f => f.IsLiteral).Select(f => (f.Name, (int)f.GetRawConstantValue()!))));

    [Fact]
    public void A_log_message_has_an_event_id_of_its_own()
    {
        var known = typeof(EventIds).GetFields(Static).Where(f => f.IsLiteral).Select(f => (int)f.GetRawConstantValue()!).ToHashSet();
        var messages = Habit.Library.GetTypes().SelectMany(t => t.GetMethods(Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Select(m => (Name: $"{m.DeclaringType!.FullName}.{m.Name}", m.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(m => m.EventId is not null)
            .Select(m => (m.Name, m.EventId!.Value))
            .ToList();
        Habit.Holds("A log message has an event id of EventIds.", messages.Where(m => !known.Contains(m.Value)).Select(m => $"{m.Name}: {m.Value}"));
        Habit.Holds("No two log messages have the same event id.", Ids(messages));
    }

    [Fact]
    public void Instruments_and_tags_are_named_alike()
    {
        Habit.Holds("Instruments follow the naming rules of OpenTelemetry.", TelemetryTour.Instruments().SelectMany(Misnamed));
        Habit.Holds(
            "Tags are named efconcurrency.snake_case, or as OpenTelemetry names them.",
            typeof(TagNames).GetFields(Static).Select(f => (string)f.GetRawConstantValue()!).Where(n => n != "error.type" && !Name().IsMatch(n)));
    }

    [Fact]
    public void An_id_given_twice_or_out_of_range_is_found()
        => Assert.Equal(["60000 is given to A, C", "7 (B) is out of range"], Ids([("A", 60000), ("B", 7), ("C", 60000)]));

    [Fact]
    public void A_misnamed_instrument_is_found()
    {
        using var meter = new Meter("planted");
        Assert.Empty(Misnamed(meter.CreateCounter<long>("efconcurrency.conflicts", "{conflict}", "Refused saves.")));
        Assert.Empty(Misnamed(meter.CreateHistogram<double>("distributed_lock.hold.duration", "s", "How long a lock is held.")));
        Assert.Single(Misnamed(meter.CreateCounter<long>("conflicts", "{conflict}", "Refused saves.")));
        Assert.Single(Misnamed(meter.CreateCounter<long>("efconcurrency.retryAttempts", "{attempt}", "Attempts.")));
        Assert.Single(Misnamed(meter.CreateCounter<long>("efconcurrency.conflicts_total", "{conflict}", "Refused saves.")));
        Assert.Single(Misnamed(meter.CreateHistogram<double>("efconcurrency.retry.duration", "ms", "Time.")));
        Assert.Single(Misnamed(meter.CreateHistogram<double>("efconcurrency.retry.wait", "s", "Time.")));
        Assert.Equal(2, Misnamed(meter.CreateCounter<long>("efconcurrency.retries")).Count());
    }

    private static IEnumerable<string> Ids(IEnumerable<(string Name, int Id)> ids)
        => ids.GroupBy(i => i.Id).SelectMany(g => (string[])
        [
            .. g.Count() > 1 ? [$"{g.Key} is given to {string.Join(", ", g.Select(i => i.Name))}"] : Array.Empty<string>(),
            .. g.Key is < 60000 or > 69999 ? [$"{g.Key} ({g.First().Name}) is out of range"] : Array.Empty<string>(),
        ]);

    private static IEnumerable<string> Misnamed(Instrument instrument)
    {
        var isDuration = instrument.Name.EndsWith(".duration", StringComparison.Ordinal);
        var isHistogramInSeconds = instrument.Unit == "s" && instrument.GetType().GetGenericTypeDefinition() == typeof(Histogram<>);
        if (!Name().IsMatch(instrument.Name) || instrument.Name.EndsWith("_total", StringComparison.Ordinal))
        {
            yield return $"{instrument.Name}: expected efconcurrency.snake_case (or distributed_lock.…, messaging.…), without _total";
        }

        if (isDuration != isHistogramInSeconds || instrument.Unit is "ms" or "us" or "ns")
        {
            yield return $"{instrument.Name}: a duration ends with .duration and is in s, but the unit is '{instrument.Unit}'";
        }

        if (string.IsNullOrEmpty(instrument.Unit))
        {
            yield return $"{instrument.Name}: no unit; a count has one in braces, such as {{conflict}}";
        }

        if (string.IsNullOrEmpty(instrument.Description))
        {
            yield return $"{instrument.Name}: no description";
        }
    }

    [GeneratedRegex(@"\A(efconcurrency|distributed_lock|messaging)(\.[a-z]+(_[a-z]+)*)+\z")]
    private static partial Regex Name();
}
