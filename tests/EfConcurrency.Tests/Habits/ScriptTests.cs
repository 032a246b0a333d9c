using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>Scripts can be run as they are cloned, and stop at the first error.</summary>
public sealed partial class ScriptTests
{
    [Fact]
    public void Scripts_run_and_stop_at_the_first_error()
        => Habit.Holds(
            "A script (*.sh, .ci/run) has the run bit, starts with a shebang and sets -euo pipefail.",
            SourceTree.Paths().Where(IsScript).SelectMany(p => Violations(SourceTree.Read(p), OperatingSystem.IsWindows() || File.GetUnixFileMode(SourceTree.PathOf(p)).HasFlag(UnixFileMode.UserExecute))));

    [Theory]
    [InlineData("#!/usr/bin/env bash\n# Says what it does.\nset -euo pipefail\n", true, 0)]
    [InlineData("#!/bin/bash\nset -euo pipefail\n", true, 0)]
    [InlineData("#!/usr/bin/env bash\nset -euo pipefail\n", false, 1)]
    [InlineData("set -euo pipefail\n", true, 1)]
    [InlineData("#!/usr/bin/env bash\nset -e\n", true, 1)]
    [InlineData("#!/usr/bin/env bash\n# set -euo pipefail\n", true, 1)]
    public void A_careless_script_is_found(string text, bool canRun, int violations) => Assert.Equal(violations, Violations(new("x.sh", text), canRun).Count());

    [Theory]
    [InlineData("demo.sh", true)]
    [InlineData(".ci/run", true)]
    [InlineData("docs/run", false)]
    public void Scripts_are_known_by_name(string path, bool isScript) => Assert.Equal(isScript, IsScript(path));

    private static bool IsScript(string path) => path == ".ci/run" || path.EndsWith(".sh", StringComparison.Ordinal);

    private static IEnumerable<string> Violations(SourceFile file, bool canRun)
    {
        if (!canRun)
        {
            yield return $"{file.Path}: no run bit (git update-index --chmod=+x)";
        }

        if (!Shebang().IsMatch(file.Text))
        {
            yield return $"{file.Path}: does not start with #!/usr/bin/env bash";
        }

        if (!Strict().IsMatch(file.Text))
        {
            yield return $"{file.Path}: no line 'set -euo pipefail'";
        }
    }

    [GeneratedRegex(@"\A#!(/usr/bin/env |/bin/)bash\n")]
    private static partial Regex Shebang();

    [GeneratedRegex(@"^set -euo pipefail\s*$", RegexOptions.Multiline)]
    private static partial Regex Strict();
}
