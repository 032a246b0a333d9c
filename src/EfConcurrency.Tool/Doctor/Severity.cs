namespace EfConcurrency.Tool.Doctor;

/// <summary>How much a finding matters.</summary>
internal enum Severity
{
    /// <summary>Good to know; does not change the exit code.</summary>
    Info,

    /// <summary>Works, but not well, or not for long.</summary>
    Warning,

    /// <summary>Something does not work, or is not safe.</summary>
    Error,
}
