namespace EfConcurrency.Tool.Doctor;

/// <summary>One thing that can be wrong with a database.</summary>
internal abstract class DoctorCheck(string name)
{
    public string Name => name;

    /// <summary>Looks; changes nothing.</summary>
    public abstract Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken);

    protected Finding Info(string what, string action) => new(name, Severity.Info, what, action);

    protected Finding Warning(string what, string action) => new(name, Severity.Warning, what, action);

    protected Finding Error(string what, string action) => new(name, Severity.Error, what, action);
}
