namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>Triggers of HasFencingTrigger() that somebody switched off.</summary>
internal sealed class TriggersCheck() : DoctorCheck("triggers")
{
    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
        => (await patient.RowsAsync(DoctorSql.DisabledTriggers, r => (Table: r.GetString(0), Name: r.GetString(1)), cancellationToken)).Select(t => Error(
            $"Trigger {t.Name} of table {t.Table} is disabled: raw SQL of a stale holder is not refused.",
            $"alter table {t.Table} enable trigger {t.Name}"));
}
