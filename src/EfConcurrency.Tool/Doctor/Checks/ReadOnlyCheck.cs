namespace EfConcurrency.Tool.Doctor.Checks;

internal sealed class ReadOnlyCheck() : DoctorCheck("read-only")
{
    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var (isStandby, isReadOnly) = (await patient.RowsAsync(DoctorSql.Server, r => (r.GetBoolean(0), r.GetBoolean(1)), cancellationToken))[0];
        return isStandby ? [Error("The server is a standby: it takes no writes, and shows locks and sessions of its own only.", "Connect to the primary (Npgsql: several hosts and Target Session Attributes=primary).")]
            : isReadOnly ? [Error("Transactions of this role or database are read-only (default_transaction_read_only).", "ALTER ROLE or ALTER DATABASE … RESET default_transaction_read_only.")]
            : [];
    }
}
