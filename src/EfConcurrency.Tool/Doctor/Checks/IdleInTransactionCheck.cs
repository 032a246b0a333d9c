using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Doctor.Checks;

internal sealed class IdleInTransactionCheck() : DoctorCheck("idle-in-transaction")
{
    private const int Shown = 5;

    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var sessions = await patient.RowsAsync(
            DoctorSql.IdleInTransaction,
            r => $"{r.GetInt32(0)} {(r.IsDBNull(1) ? "" : r.GetString(1))} for {Human.Duration(r.GetDouble(2))}",
            cancellationToken,
            patient.Limits.IdleInTransaction.TotalSeconds);
        return sessions.Count == 0 ? [] :
        [
            Warning(
                $"{Human.Count(sessions.Count, "session")} idle in a transaction for more than {Human.Duration(patient.Limits.IdleInTransaction)}, with all locks: {Human.Names([.. sessions.Take(Shown)], sessions.Count)}.",
                "Find what the application waits for inside of a transaction; 'efc locks tree' shows who waits for it. idle_in_transaction_session_timeout ends such sessions."),
        ];
    }
}
