using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Doctor;

internal sealed class DoctorVerb : Verb
{
    private readonly DoctorOptions _options = new();

    public DoctorVerb()
        : base("doctor", "Whether the database is set up as the library needs it, and what to do where it is not. Exit code 1 for warnings and errors.")
        => _options.AddTo(this);

    protected override async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var database = await session.ConnectAsync(cancellationToken);
        var report = await DoctorRounds.RunAsync(database, _options.Of(session.Arguments), cancellationToken);
        session.Screen.Show(report, () => session.Screen.List(
            report.Findings,
            $"Nothing found by {report.Checks.Count} checks.",
            ("severity", f => f.Severity.ToString().ToLowerInvariant()),
            ("check", f => f.Check),
            ("finding", f => f.What),
            ("what to do", f => f.Action)));
        return report.NeedsAttention ? ExitCode.Findings : ExitCode.Ok;
    }
}
