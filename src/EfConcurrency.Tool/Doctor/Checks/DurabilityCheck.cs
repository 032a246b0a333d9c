namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>Settings with which a commit may be forgotten.</summary>
internal sealed class DurabilityCheck() : DoctorCheck("durability")
{
    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var (fsync, fullPages, commit) = (await patient.RowsAsync(DoctorSql.Settings, r => (r.GetString(0), r.GetString(1), r.GetString(2)), cancellationToken))[0];
        return Find();

        IEnumerable<Finding> Find()
        {
            if (fsync == "off")
            {
                yield return Error("fsync is off: a crash of the machine may lose commits and damage the database.", "Set fsync = on (postgresql.conf), unless the data is worth nothing.");
            }

            if (fullPages == "off")
            {
                yield return Error("full_page_writes is off: a crash may leave half-written pages.", "Set full_page_writes = on, unless the file system writes pages atomically.");
            }

            if (commit == "off")
            {
                yield return Warning(
                    "synchronous_commit is off: a crash may lose the last commits, messages and keys among them. Leases and job slots wait for the disk all the same.",
                    "Set synchronous_commit = on for the application's role or database.");
            }
        }
    }
}
