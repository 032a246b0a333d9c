using EfConcurrency.Tool.Database;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>The library's model against the catalogue. A table that is not there at all is not used; half of a room is a fault.</summary>
internal sealed class SchemaCheck() : DoctorCheck("schema")
{
    private const string Migrate = "Add a migration with the application's version of EfConcurrency and apply it; use the efc of that version.";

    private static readonly string[] OutboxTables = [LibraryTables.Outbox, LibraryTables.OutboxCursor, LibraryTables.OutboxPending, LibraryTables.OutboxOwner];

    private sealed record Column(string Table, string Name, string Type, bool IsRequired);

    private sealed record Index(string Table, string Name, bool IsValid);

    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var schema = patient.Database.Schema;
        if (!patient.Tables.Any)
        {
            return [Error($"Schema {schema} has no table of EfConcurrency.", "Is this the right database, and is its migration applied? --schema names another schema.")];
        }

        var columns = (await patient.RowsAsync(DoctorSql.Columns, r => new Column(r.GetString(0), r.GetString(1), r.GetString(2), r.GetBoolean(3)), cancellationToken, schema)).ToLookup(c => c.Table);
        var indexes = (await patient.RowsAsync(DoctorSql.Indexes, r => new Index(r.GetString(0), r.GetString(1), r.GetBoolean(2)), cancellationToken, schema)).ToLookup(i => i.Table);
        return [.. Missing(patient.Tables), .. patient.Database.Context.Model.GetRelationalModel().Tables.Where(t => patient.Tables.Has(t.Name)).SelectMany(t => Drift(t, columns[t.Name], indexes[t.Name]))];
    }

    private IEnumerable<Finding> Missing(LibraryTables tables)
        => OutboxTables.Any(tables.Has)
            ? OutboxTables.Where(t => !tables.Has(t)).Select(t => Error($"Table {t} is missing; the outbox can't work without it.", Migrate))
            : [];

    private IEnumerable<Finding> Drift(ITable table, IEnumerable<Column> found, IEnumerable<Index> indexes)
    {
        var columns = found.ToDictionary(c => c.Name);
        foreach (var column in table.Columns)
        {
            if (!columns.TryGetValue(column.Name, out var actual))
            {
                yield return Error($"Table {table.Name} has no column {column.Name}.", Migrate);
            }
            else if (actual.Type != column.StoreType)
            {
                yield return Error($"Column {table.Name}.{column.Name} is {actual.Type}; the library expects {column.StoreType}.", Migrate);
            }
            else if (actual.IsRequired == column.IsNullable)
            {
                yield return Warning($"Column {table.Name}.{column.Name} {(column.IsNullable ? "must not be null; the library writes nulls" : "may be null; the library expects that it is not")}.", Migrate);
            }
        }

        var present = indexes.ToDictionary(i => i.Name);
        foreach (var name in table.Indexes.Select(i => i.Name).Concat(table.UniqueConstraints.Select(c => c.Name)))
        {
            if (!present.TryGetValue(name, out var index))
            {
                yield return Error($"Table {table.Name} has no index {name}.", Migrate);
            }
            else if (!index.IsValid)
            {
                yield return Error($"Index {name} of table {table.Name} is not valid: it was not built to its end.", $"reindex index concurrently {name}");
            }
        }
    }
}
