namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>An older server is refused before any check.</summary>
internal sealed class ServerVersionCheck() : DoctorCheck("server-version")
{
    private const int NewestKnown = 18;

    public override Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var version = patient.Connection.PostgreSqlVersion;
        return Task.FromResult<IEnumerable<Finding>>(version.Major <= NewestKnown ? [] :
        [
            Info($"The server is PostgreSQL {version.Major}; this version of the library was made for 14 to {NewestKnown}.", "Look for a newer version of EfConcurrency."),
        ]);
    }
}
