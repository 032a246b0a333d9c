namespace EfConcurrency.Tool.Audit;

/// <summary>What an operator did, as it is shown.</summary>
internal sealed record AuditRow(DateTimeOffset At, string Role, string Operator, string Verb, string Target, string Reason, string Outcome, string? Detail);
