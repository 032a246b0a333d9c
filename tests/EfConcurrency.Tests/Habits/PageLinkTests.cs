namespace EfConcurrency.Tests.Habits;

/// <summary>A link within the repository leads somewhere.</summary>
public sealed class PageLinkTests
{
    [Fact]
    public void Links_lead_to_a_file_and_to_a_heading_of_it()
        => Habit.Holds("A relative link of a page leads to a file or folder that is there, and what follows # is a heading in it.", Pages().SelectMany(Violations));

    [Theory]
    [InlineData("[x](README.md)", 0)]
    [InlineData("[x](docs/patterns)", 0)]
    [InlineData("[x](README.md#use-it)", 0)]
    [InlineData("## Here & there\n[x](#here--there)", 0)]
    [InlineData("[x](https://example.com/gone.md)", 0)]
    [InlineData("```\n[x](gone.md)\n```\n", 0)]
    [InlineData("[x](gone.md)", 1)]
    [InlineData("[x](README.md#gone)", 1)]
    [InlineData("[x](#gone)", 1)]
    public void A_dead_link_is_found(string text, int violations) => Assert.Equal(violations, Violations(new("page.md", text)).Count());

    private static IEnumerable<SourceFile> Pages() => SourceTree.Paths().Where(p => p.EndsWith(".md", StringComparison.Ordinal)).Select(SourceTree.Read);

    private static IEnumerable<string> Violations(SourceFile page)
    {
        var text = MarkdownText.Of(page.Text);
        foreach (var link in text.Links.Where(l => !l.Contains(':', StringComparison.Ordinal)))
        {
            var (file, anchor) = link.Split('#') is [var f, var a] ? (f, a) : (link, null);
            var path = SourceTree.PathOf(Path.Combine(Path.GetDirectoryName(page.Path)!, file));
            if (file.Length > 0 && !Path.Exists(path))
            {
                yield return $"{page.Path}: {link}: there is no such file";
            }
            else if (anchor is not null && !(file.Length > 0 ? MarkdownText.Of(File.ReadAllText(path)) : text).Anchors.Contains(anchor))
            {
                yield return $"{page.Path}: {link}: there is no such heading";
            }
        }
    }
}
