using EfConcurrency.Tool.Database;

namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>After a restore from a dump, transaction ids begin anew, and what is kept of the old ones points beyond them.</summary>
internal sealed class OutboxOriginCheck() : DoctorCheck("outbox-origin")
{
    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        if (!patient.Tables.CanRead(LibraryTables.Outbox) || !patient.Tables.CanRead(LibraryTables.OutboxCursor))
        {
            return [];
        }

        var isAhead = (await patient.RowsAsync(
            DoctorSql.OutboxIsAhead(patient.Table(LibraryTables.Outbox), patient.Table(LibraryTables.OutboxCursor)), r => r.GetBoolean(0), cancellationToken))[0];
        return !isAhead ? [] :
        [
            Error(
                "The outbox comes from another server (a restored dump?): its cursors or messages have transaction ids that are yet to come here, and are not delivered.",
                "Call db.OutboxAdmin().ReseedAsync() once; dispatchers may run meanwhile. Messages come again, with their ids."),
        ];
    }
}
