using System.Globalization;

namespace EfConcurrency.Outbox;

/// <summary>A pg_snapshot: <c>xmin:xmax:xip,xip</c>. It saw the transactions below xmax that had ended; the xips had not.</summary>
internal sealed record OutboxSnapshot(string Text, ulong Xmax, string[] InProgress)
{
    public static OutboxSnapshot Parse(string text)
    {
        var parts = text.Split(':');
        return new(text, Number(parts[1]), parts[2].Length == 0 ? [] : parts[2].Split(','));
    }

    /// <summary>Where a read of several lanes begins: the lowest xmax, and the transactions below it that one of them did not see.</summary>
    public static (string Xmax, string[] InProgress) Range(IEnumerable<OutboxSnapshot> snapshots)
    {
        var all = snapshots.ToHashSet();
        var xmax = all.Min(s => s.Xmax);
        return (Text(xmax), [.. all.SelectMany(s => s.InProgress).Distinct(StringComparer.Ordinal).Where(x => Number(x) < xmax)]);

        static string Text(ulong x) => x.ToString(CultureInfo.InvariantCulture);
    }

    public bool Equals(OutboxSnapshot? other) => Text == other?.Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    private static ulong Number(string x) => ulong.Parse(x, CultureInfo.InvariantCulture);
}
