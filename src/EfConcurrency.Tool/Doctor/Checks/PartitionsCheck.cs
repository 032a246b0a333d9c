using System.Globalization;
using System.Text.RegularExpressions;
using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>The partitions that tomorrow's rows go to: a missing one fails every save of its day; one that is not emptied grows.</summary>
internal sealed partial class PartitionsCheck() : DoctorCheck("partitions")
{
    /// <summary>Day modulo 3.</summary>
    private const int OutboxPartitions = 3;

    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        if (patient.Tables.Has(LibraryTables.Outbox))
        {
            findings.AddRange(await GapsAsync(patient, LibraryTables.Outbox, OutboxPartitions, cancellationToken));
        }

        if (patient.Tables.Has(LibraryTables.Inbox))
        {
            findings.AddRange(await GapsAsync(patient, LibraryTables.Inbox, atLeast: 1, cancellationToken));
        }

        if (patient.Tables.CanRead(LibraryTables.Outbox) && patient.Tables.CanRead(LibraryTables.OutboxCursor) && patient.Tables.CanRead(LibraryTables.OutboxOwner))
        {
            var held = await patient.RowsAsync(
                DoctorSql.HeldBack(patient.Table(LibraryTables.Outbox), patient.Table(LibraryTables.OutboxCursor), patient.Table(LibraryTables.OutboxOwner)), r => r.GetFieldValue<string[]>(0), cancellationToken);
            findings.AddRange(held.Select(HeldBack));
        }

        return findings;
    }

    private Finding HeldBack(string[] idle) => Warning(
        "The outbox keeps messages from before yesterday: a sink has not passed them, so their partition is not emptied.",
        idle.Length == 0
            ? "Look at the lag of each sink (efc status)."
            : $"No dispatcher serves {string.Join(", ", idle)}. Start one; a sink that is no longer used is forgotten by db.OutboxAdmin().RemoveSinkAsync(name).");

    private async Task<IEnumerable<Finding>> GapsAsync(Patient patient, string table, int atLeast, CancellationToken cancellationToken)
    {
        var bounds = await patient.RowsAsync(DoctorSql.Partitions, r => r.GetString(1), cancellationToken, patient.Database.Schema, table);
        var slots = bounds.SelectMany(b => Number().Matches(b)).Select(m => int.Parse(m.Value, CultureInfo.InvariantCulture)).ToHashSet();
        return Enumerable.Range(0, Math.Max(atLeast, slots.Count == 0 ? 0 : slots.Max() + 1)).Where(n => !slots.Contains(n)).Select(n => Error(
            $"Table {table} has no partition for slot {n}: rows of its day can't be written.",
            $"create table {patient.Table($"{table}_{n}")} partition of {patient.Table(table)} for values in ({n})"));
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();
}
