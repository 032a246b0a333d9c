namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>As the library finds it out: a pooler makes up the process id that it tells its clients.</summary>
internal sealed class PoolerCheck() : DoctorCheck("pooler")
{
    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var pid = (await patient.RowsAsync(DoctorSql.Server, r => r.GetInt32(3), cancellationToken))[0];
        return pid == patient.Connection.ProcessID ? [] : [Pooler(), .. Prepared(patient)];
    }

    private Finding Pooler() => Warning(
        "A pooler (PgBouncer, or one like it) stands before the server: session locks are refused, LISTEN wakes nobody, and a session here is the pooler's, not the application's.",
        "In order where the application uses transaction locks only. For efc, for session locks and for NOTIFY connect to the server itself.");

    /// <summary>A statement that was prepared on one server connection is asked for on another. https://www.pgbouncer.org/config.html#max_prepared_statements</summary>
    private IEnumerable<Finding> Prepared(Patient patient)
    {
        if (patient.Database.Settings.MaxAutoPrepare > 0)
        {
            yield return Warning(
                "Max Auto Prepare is on and a pooler stands before the server: prepared statements are those of another connection (error 26000 or 42P05).",
                "Set Max Auto Prepare=0, or max_prepared_statements in PgBouncer 1.21 or newer.");
        }

        if (!patient.Database.Settings.NoResetOnClose)
        {
            yield return Info("Connections are reset when they are closed (DISCARD ALL), which a transaction pooler does not need.", "Set No Reset On Close=true in connection strings that lead to the pooler.");
        }
    }
}
