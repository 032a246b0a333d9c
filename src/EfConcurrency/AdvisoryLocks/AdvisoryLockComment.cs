using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>The names of keys in the comment of a statement, for who looks at <c>pg_stat_activity</c> or the server's log; and read back from there.</summary>
internal static partial class AdvisoryLockComment
{
    private const int MaxNames = 8;
    private const int MaxLength = 80;

    /// <summary>A comment for each named key, such as <c>/* 4711 = invoice:42 */</c>.</summary>
    public static string Of(AdvisoryKeySet keys)
    {
        if (keys.Count == 1)
        {
            return keys[0].FullName is { } only ? Of(keys[0].Number, only) : "";
        }

        var comment = new StringBuilder();
        foreach (var key in keys.Where(k => k.Name is not null).Take(MaxNames))
        {
            comment.Append(Of(key.Number, key.FullName!));
        }

        return comment.ToString();
    }

    /// <summary>The names in the text of a statement, by number.</summary>
    public static IEnumerable<(long Number, string Name)> Read(string statement)
        => statement.IndexOf("efconcurrency advisory-locks.", StringComparison.Ordinal) == "/* ".Length
            ? Named().Matches(statement).Select(m => (long.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture), m.Groups[2].Value))
            : [];

    private static string Of(long number, string name) => string.Create(CultureInfo.InvariantCulture, $"/* {number} = {Harmless(name)} */ ");

    /// <summary>PostgreSQL's comments nest, so neither an end nor a beginning may stand in one.</summary>
    private static string Harmless(string name)
    {
        var length = name.Length <= MaxLength ? name.Length : char.IsHighSurrogate(name[MaxLength - 1]) ? MaxLength - 1 : MaxLength;
        return Harmful().Replace(name[..length], "_") + (length < name.Length ? "…" : "");
    }

    [GeneratedRegex(@"[*\p{C}-[\p{Cs}]]|\u2028|\u2029")]
    private static partial Regex Harmful();

    [GeneratedRegex(@"/\* (-?\d{1,19}) = ([^*]*) \*/")]
    private static partial Regex Named();
}
