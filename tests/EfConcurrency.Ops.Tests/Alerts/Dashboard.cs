using System.Text.Json;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Alerts;

/// <summary>The dashboard's panels, and what they ask.</summary>
internal static class Dashboard
{
    /// <param name="Id">Its number.</param>
    /// <param name="Title">Its title.</param>
    /// <param name="IsRow">Whether it only is the heading of others.</param>
    /// <param name="Place">Where it stands: x, y, width, height.</param>
    /// <param name="Queries">PromQL with Grafana's variables, and the legend.</param>
    /// <param name="Json">All of it.</param>
    internal sealed record Panel(int Id, string Title, bool IsRow, (int X, int Y, int Width, int Height) Place, IReadOnlyList<(string Expression, string Legend)> Queries, JsonElement Json);

    public static JsonElement Json { get; } = JsonDocument.Parse(Repository.Read(Repository.Dashboard)).RootElement;

    public static IReadOnlyList<Panel> Panels { get; } = [.. Json.GetProperty("panels").EnumerateArray().Select(Read)];

    /// <summary>As Grafana sends it to Prometheus.</summary>
    public static string Sent(string expression)
        => expression.Replace("$__rate_interval", "5m", StringComparison.Ordinal).Replace("$__range", "3h", StringComparison.Ordinal)
            .Replace("$job", ".*", StringComparison.Ordinal).Replace("$instance", ".*", StringComparison.Ordinal);

    private static Panel Read(JsonElement panel)
    {
        var place = panel.GetProperty("gridPos");
        return new(
            panel.GetProperty("id").GetInt32(),
            panel.GetProperty("title").GetString()!,
            panel.GetProperty("type").GetString() == "row",
            (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32(), place.GetProperty("w").GetInt32(), place.GetProperty("h").GetInt32()),
            panel.TryGetProperty("targets", out var targets)
                ? [.. targets.EnumerateArray().Select(t => (t.GetProperty("expr").GetString()!, t.TryGetProperty("legendFormat", out var legend) ? legend.GetString()! : ""))]
                : [],
            panel);
    }
}
