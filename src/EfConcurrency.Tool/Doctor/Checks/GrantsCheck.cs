using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>Whether the connected role may do what operators do. What only a changing verb needs is told, and no fault.</summary>
internal sealed class GrantsCheck() : DoctorCheck("grants")
{
    private sealed record Table(string Name, bool CanSelect, bool CanInsert, bool CanUpdate, bool CanDelete);

    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var schema = patient.Database.Schema;
        var (role, canSee, canSignal, canUse, canCreate) = (await patient.RowsAsync(
            DoctorSql.Rights, r => (r.GetString(0), r.GetBoolean(1), r.GetBoolean(2), r.GetBoolean(3), r.GetBoolean(4)), cancellationToken, schema))[0];
        var tables = (await patient.RowsAsync(
            DoctorSql.TableRights, r => new Table(r.GetString(0), r.GetBoolean(1), r.GetBoolean(2), r.GetBoolean(3), r.GetBoolean(4)), cancellationToken, schema)).ToDictionary(t => t.Name);
        return Find();

        IEnumerable<Finding> Find()
        {
            if (!canSee)
            {
                yield return Warning($"Role {role} does not see the sessions of other roles: locks, top and some checks here are incomplete or refused.", $"grant pg_monitor to {SqlName.Of(role)}");
            }

            var closed = tables.Values.Where(t => patient.Tables.Has(t.Name) && !(canUse && t.CanSelect)).Select(t => t.Name).Order(StringComparer.Ordinal).ToList();
            if (closed.Count > 0)
            {
                yield return Warning(
                    $"Role {role} may not read {string.Join(", ", closed)}.",
                    $"grant usage on schema {SqlName.Of(schema)} to {SqlName.Of(role)}; grant select on all tables in schema {SqlName.Of(schema)} to {SqlName.Of(role)}");
            }

            var refused = Refused(patient, tables, canSignal, canCreate).ToList();
            if (refused.Count > 0)
            {
                yield return Info($"Role {role} may look, and may not {string.Join(", ", refused)}.", "In order for a role that only looks. The tool's README has the grants of one that may act.");
            }
        }
    }

    private static IEnumerable<string> Refused(Patient patient, Dictionary<string, Table> tables, bool canSignal, bool canCreate)
    {
        if (!canSignal)
        {
            yield return "end sessions (locks release: pg_signal_backend)";
        }

        if (patient.Tables.Has(LibraryTables.Lease) && !tables[LibraryTables.Lease].CanUpdate)
        {
            yield return "change leases (leases break)";
        }

        if (patient.Tables.Has(LibraryTables.OutboxPending) && tables[LibraryTables.OutboxPending] is { } pending && !(pending.CanUpdate && pending.CanDelete))
        {
            yield return "change waiting messages (outbox replay, park, purge)";
        }

        if (patient.Tables.Has(LibraryTables.IdempotencyKey) && !tables[LibraryTables.IdempotencyKey].CanDelete)
        {
            yield return "delete idempotency keys (idempotency expire)";
        }

        if (tables.TryGetValue(Audit.AuditTable.Name, out var audit) ? !(audit.CanInsert && audit.CanUpdate) : !canCreate)
        {
            yield return "write down what it changes (the audit table)";
        }
    }
}
