namespace EfConcurrency.Tool.Doctor;

/// <summary>What a check found.</summary>
/// <param name="Check">Name of the check.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="What">What is the case, and with what.</param>
/// <param name="Action">What to do.</param>
internal sealed record Finding(string Check, Severity Severity, string What, string Action);
