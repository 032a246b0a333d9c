namespace EfConcurrency.Tool.Doctor;

/// <summary>What all checks found, the worst first.</summary>
internal sealed record DoctorReport(DateTimeOffset At, IReadOnlyList<string> Checks, IReadOnlyList<Finding> Findings)
{
    public bool NeedsAttention => Findings.Any(f => f.Severity > Severity.Info);
}
