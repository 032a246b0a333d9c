using EfConcurrency.Tool.Tests.Support;

namespace EfConcurrency.Tool.Tests.Doctor;

/// <summary>The findings of one call of <c>efc doctor</c>.</summary>
internal sealed record DoctorResult(IReadOnlyList<(string Check, string Severity, string What, string Action)> Findings)
{
    public static async Task<DoctorResult> RunAsync(string connectionString, int exitCode, params string[] options)
        => Of((await Efc.RunAsync(connectionString, ["doctor", "-o", "json", .. options])).Expect(exitCode));

    public static DoctorResult Of(EfcResult result)
        => new([.. result.Json.GetProperty("findings").EnumerateArray().Select(f => (
            f.GetProperty("check").GetString()!, f.GetProperty("severity").GetString()!, f.GetProperty("what").GetString()!, f.GetProperty("action").GetString()!))]);

    /// <summary>Fails unless a check of that name found something that says so.</summary>
    public DoctorResult Has(string check, string severity, string words)
    {
        Assert.True(
            Findings.Any(f => f.Check == check && f.Severity == severity && f.What.Contains(words, StringComparison.Ordinal) && f.Action.Length > 0),
            $"{check}, {severity}: {words}{Environment.NewLine}{string.Join(Environment.NewLine, Findings)}");
        return this;
    }
}
