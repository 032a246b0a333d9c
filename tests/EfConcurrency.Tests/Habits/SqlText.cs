using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>Tells SQL from prose in string literals, and finds how a statement is named.</summary>
internal static partial class SqlText
{
    /// <summary>Whether a literal is SQL: it has the structure of a statement or a locking clause and is not a sentence.</summary>
    public static bool IsSql(string literal)
    {
        var text = literal.Trim();
        return Marked().IsMatch(text) || (Structure().IsMatch(text) && !Sentence().IsMatch(text));
    }

    /// <summary>Whether a literal is a whole statement that is sent at runtime; definitions (DDL) run in migrations.</summary>
    public static bool IsRuntimeStatement(string literal)
        => IsSql(literal) && !Definition().IsMatch(literal.Trim()) && !LockingClause().IsMatch(literal.Trim());

    /// <summary>The name in <c>/* efconcurrency name */</c> at the start, or null.</summary>
    public static string? NameOf(string literal) => Name().Match(literal.Trim()) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"\A/\*\s*efconcurrency\b", RegexOptions.IgnoreCase)]
    private static partial Regex Marked();

    [GeneratedRegex(@"\A/\* efconcurrency ([a-z-]+\.[a-z0-9-]+) \*/\s")]
    private static partial Regex Name();

    [GeneratedRegex(
        """
        \A(
            select\s+(.+\sfrom\s|[\w."{}]+\s*\(|\d|@|'|exists\b|not\b)
          | update\s+(only\s+)?\S+(\s+(as\s+)?\w+)?\s+set\s
          | insert\s+into\s+\S
          | delete\s+from\s+\S
          | merge\s+into\s+\S
          | with\s+(recursive\s+)?[\w"{}]+(\s*\([^)]*\))?\s+as\s+((not\s+)?materialized\s+)?\(
          | values\s*\(
          | for\s+(no\s+key\s+update|update|share|key\s+share)(\s+of\s+\S+)?(\s+nowait|\s+skip\s+locked)?\s*;?\z
          | (create|drop|alter)\s+(or\s+replace\s+|unique\s+|temp(orary)?\s+|unlogged\s+|constraint\s+)*
                (table|schema|function|procedure|index|trigger|sequence|type|view|database|extension|role|user|policy|domain)\b
          | truncate\s+(table\s+)?["{\w.}]+\s*;?\z
          | lock\s+table\s
          | grant\s.+\sto\s
          | revoke\s.+\sfrom\s
          | do\s+\$
          | set\s+(local|session)\s+\w
          | (notify|listen|unlisten)\s+["{\w}]+\s*(,|;|\z)
          | copy\s+\S+.*\s(from|to)\s+std
        )
        """,
        RegexOptions.IgnoreCase | RegexOptions.IgnorePatternWhitespace | RegexOptions.Singleline)]
    private static partial Regex Structure();

    [GeneratedRegex(@"\A(create|drop|alter|grant|revoke|do)\s", RegexOptions.IgnoreCase)]
    private static partial Regex Definition();

    [GeneratedRegex(@"\Afor\s", RegexOptions.IgnoreCase)]
    private static partial Regex LockingClause();

    /// <summary>House SQL is lower case, others' is upper case; a sentence starts with one capital and has no placeholder of a parameter.</summary>
    [GeneratedRegex(@"\A[A-Z][a-z]+\s[^;@$=]*\z", RegexOptions.Singleline)]
    private static partial Regex Sentence();
}
