namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>At two thousand million the server takes no more writes. https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND</summary>
internal sealed class TransactionIdAgeCheck() : DoctorCheck("xid-age")
{
    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var (database, age, multixact) = (await patient.RowsAsync(DoctorSql.TransactionIdAge, r => (r.GetString(0), r.GetInt64(1), r.GetInt64(2)), cancellationToken))[0];
        return Math.Max(age, multixact) <= patient.Limits.TransactionIdAge ? [] :
        [
            Warning(
                $"The oldest transaction id of database {database} is {age} transactions old (multixact: {multixact}); the server stops at 2000000000.",
                "Let autovacuum work, or run VACUUM (FREEZE) there; what keeps it from working, 'old-snapshots' tells."),
        ];
    }
}
