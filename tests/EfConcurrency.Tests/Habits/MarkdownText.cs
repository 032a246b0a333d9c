using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>Tells a page's prose from its blocks of code: enough of Markdown for the pages of this repository.</summary>
internal sealed partial class MarkdownText
{
    private readonly string _prose;

    private MarkdownText(string text)
    {
        text = text.ReplaceLineEndings("\n");
        _prose = Block().Replace(text, "");
        Examples = [.. Block().Matches(text).Where(m => m.Groups["language"].Value == "csharp").Select(m => CSharpText.Of(m.Groups["code"].Value).Code)];
    }

    /// <summary>The blocks of C#, without comments and strings.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>What stands between backticks.</summary>
    public IEnumerable<string> Code => InlineCode().Matches(_prose).Select(m => m.Groups[1].Value);

    /// <summary>Where links lead.</summary>
    public IEnumerable<string> Links => Link().Matches(_prose).Select(m => m.Groups[1].Value);

    /// <summary>The headings, as links name them: lower case, words joined by dashes, no punctuation.</summary>
    public IEnumerable<string> Anchors => Heading().Matches(_prose).Select(m => Punctuation().Replace(m.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'));

    public static MarkdownText Of(string text) => new(text);

    [GeneratedRegex(@"^```(?<language>\w*)\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"`([^`\n]+)`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
