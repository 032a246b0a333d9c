using System.Text.RegularExpressions;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>A page of docs/runbooks, as far as a machine follows it: the commands at its end.</summary>
internal sealed partial class Runbook
{
    /// <summary>Whom a reader asks what.</summary>
    public static readonly string[] Sections = ["Look", "Decide", "Act", "Verify", "Why it happens", "In order"];

    private Runbook(string name, string text)
    {
        Name = name;
        Text = text;
        Steps = [.. LastBlock().Match(text).Groups["lines"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Step.Parse)];
    }

    public string Name { get; }

    public string Text { get; }

    /// <summary>What is done, in order.</summary>
    public IReadOnlyList<Step> Steps { get; }

    /// <summary>Verbs that the page names anywhere, such as <c>outbox list</c>.</summary>
    public IEnumerable<string> Verbs => Verb().Matches(Text).Select(m => m.Groups["verb"].Value.Trim());

    public static Runbook Read(string name) => new(name, Repository.Read($"{Repository.Runbooks}/{name}.md"));

    /// <param name="Arguments">Of efc; none: the reader repairs what is broken elsewhere.</param>
    /// <param name="ExitCodes">Those that the page tells of.</param>
    internal sealed partial record Step(IReadOnlyList<string> Arguments, int[] ExitCodes)
    {
        public bool IsRepair => Arguments.Count == 0;

        public bool ChangesSomething => IsRepair || Arguments.Contains("--yes");

        public static Step Parse(string line)
        {
            if (line.StartsWith("# once ", StringComparison.Ordinal))
            {
                return new([], []);
            }

            var comment = line.IndexOf(" #", StringComparison.Ordinal);
            var words = Word().Matches(comment < 0 ? line : line[..comment]).Select(m => m.Value.Trim('\'')).ToList();
            Assert.True(words is ["efc", _, ..], $"The last block of a runbook is made of calls of efc: {line}");
            var codes = ExitCode().Match(comment < 0 ? "" : line[comment..]);
            return new(words[1..], codes.Success ? [.. codes.Groups["code"].Captures.Select(c => int.Parse(c.Value, null))] : [0]);
        }

        /// <summary>With names in place of the placeholders, which are in capitals.</summary>
        public string[] With(IReadOnlyDictionary<string, string> names)
            => [.. Arguments.Select(a => Placeholder().IsMatch(a) ? Assert.Contains(a, names) : a)];

        public override string ToString() => string.Join(' ', Arguments);

        [GeneratedRegex("'[^']*'|\\S+")]
        private static partial Regex Word();

        [GeneratedRegex(@"exits (?<code>\d+)(?: or (?<code>\d+))*")]
        private static partial Regex ExitCode();

        [GeneratedRegex(@"\A[A-Z]+(-ID)?\z")]
        private static partial Regex Placeholder();
    }

    [GeneratedRegex(@"```bash\n(?<lines>(?:.+\n)+)```\n\z")]
    private static partial Regex LastBlock();

    [GeneratedRegex(@"(?:^|`)efc (?<verb>[a-z]+(?: (?:list|tree|release|break|show|replay|park|purge|expire)\b)?)", RegexOptions.Multiline)]
    private static partial Regex Verb();
}
