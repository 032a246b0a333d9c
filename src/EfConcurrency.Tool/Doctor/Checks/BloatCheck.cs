namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>The library's tables are small and busy: without vacuum they grow, and every claim gets slower.</summary>
internal sealed class BloatCheck() : DoctorCheck("bloat")
{
    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var autovacuum = (await patient.RowsAsync(DoctorSql.Settings, r => r.GetString(3), cancellationToken))[0];
        var tables = await patient.RowsAsync(
            DoctorSql.DeadRows, r => (Name: r.GetString(0), Live: r.GetInt64(1), Dead: r.GetInt64(2), IsOff: r.GetBoolean(3)), cancellationToken, patient.Database.Schema);
        return Find();

        IEnumerable<Finding> Find()
        {
            if (autovacuum == "off")
            {
                yield return Error("autovacuum is off: dead rows are never removed, and transaction ids run out.", "Set autovacuum = on (postgresql.conf).");
            }

            foreach (var table in tables)
            {
                if (table.IsOff)
                {
                    yield return Warning($"autovacuum is off for table {table.Name}.", $"alter table {patient.Table(table.Name)} reset (autovacuum_enabled)");
                }

                if (table.Dead > patient.Limits.DeadRows && table.Dead > 2 * table.Live)
                {
                    yield return Warning(
                        $"Table {table.Name} has {table.Dead} dead rows beside {table.Live} live ones.",
                        $"vacuum {patient.Table(table.Name)}; when they stay, see 'old-snapshots'.");
                }
            }
        }
    }
}
