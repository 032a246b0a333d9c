using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Outbox;

/// <summary>A dispatcher, as it is shown.</summary>
internal sealed record DispatcherRow(string Name, bool IsAlive, int Lanes, DateTimeOffset StartedAt, string? Failure)
{
    public override string ToString() => $"{Name} ({(IsAlive ? Human.Count(Lanes, "lane") : "gone")}{(Failure is null ? "" : $", down: {Failure.ReplaceLineEndings(" ")}")})";
}
