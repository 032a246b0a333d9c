using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>What keeps vacuum from removing dead rows, and the outbox's dispatchers from forgetting what they have seen.</summary>
internal sealed class OldSnapshotsCheck() : DoctorCheck("old-snapshots")
{
    private const int Shown = 5;

    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var age = patient.Limits.TransactionAge;
        var findings = new List<Finding>();
        var transactions = await patient.RowsAsync(
            DoctorSql.OldTransactions,
            r => $"{r.GetInt32(0)} {(r.IsDBNull(1) ? "" : r.GetString(1))} in {(r.IsDBNull(2) ? "-" : r.GetString(2))} for {Human.Duration(r.GetDouble(3))}",
            cancellationToken,
            age.TotalSeconds);
        if (transactions.Count > 0)
        {
            findings.Add(Warning(
                $"{Human.Count(transactions.Count, "transaction")} open for more than {Human.Duration(age)}: {Human.Names([.. transactions.Take(Shown)], transactions.Count)}.",
                "Let them end, or end them: select pg_terminate_backend(pid). Vacuum removes nothing that they may still see."));
        }

        findings.AddRange((await patient.RowsAsync(
            DoctorSql.PreparedTransactions, r => (Id: r.GetString(0), Database: r.GetString(1), Seconds: r.GetDouble(2)), cancellationToken, age.TotalSeconds)).Select(p => Warning(
                $"Prepared transaction '{p.Id}' of database {p.Database} waits for its end for {Human.Duration(p.Seconds)}, and keeps its locks.",
                $"In that database: COMMIT PREPARED '{p.Id}' or ROLLBACK PREPARED '{p.Id}', as its coordinator decided.")));
        findings.AddRange((await patient.RowsAsync(
            DoctorSql.IdleSlots, r => (Name: r.GetString(0), HoldsRows: r.GetBoolean(1), Kept: r.IsDBNull(2) ? "?" : r.GetString(2)), cancellationToken)).Select(s => Warning(
                $"Replication slot {s.Name} is used by nobody and keeps {s.Kept} of the write-ahead log{(s.HoldsRows ? ", and dead rows" : "")}.",
                $"Start its consumer, or drop it: select pg_drop_replication_slot('{s.Name}').")));
        return findings;
    }
}
