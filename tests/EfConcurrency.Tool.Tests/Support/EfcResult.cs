using System.Text.Json;

namespace EfConcurrency.Tool.Tests.Support;

/// <summary>What one call of the tool left.</summary>
internal sealed record EfcResult(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>Fails with everything the tool said when the exit code is another.</summary>
    public EfcResult Expect(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"exit {ExitCode}, expected {exitCode}{Environment.NewLine}{Output}{Environment.NewLine}{Error}");
        return this;
    }

    /// <summary>The one line on stderr that says what is wrong.</summary>
    public string OneError()
    {
        var line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("efc: ", line, StringComparison.Ordinal);
        return line;
    }
}
