using EfConcurrency.Postgres;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Versioning;

/// <summary>The rows that a unit will write, as far as is known, and the statement that locks them for its next attempt.</summary>
internal sealed class RowsToLock
{
    private readonly Dictionary<string, RowKey> _rows = new(StringComparer.Ordinal);

    public int Count => _rows.Count;

    public void Add(IEnumerable<RowKey> rows)
    {
        foreach (var row in rows)
        {
            if (!_rows.TryGetValue(row.Id, out var known) || row.Save < known.Save)
            {
                _rows[row.Id] = row;
            }
        }
    }

    /// <summary>
    /// Locks the rows in the order in which first attempts come to them: save by save, and in each as EF sorts, by table and key. One
    /// command: it goes out together with BEGIN. The ticket comes first, so that it is made while the lock is waited for and not while
    /// it is held.
    /// </summary>
    public async Task<CommitTicket> LockAsync(DbContext context, CancellationToken cancellationToken)
    {
        var helper = context.GetService<ISqlGenerationHelper>();

        // By table and not by type: the types of a hierarchy share one, and its rows must be locked in one order.
        var tables = _rows.Values
            .Select(row => (Table: Table(helper, row.Type), Row: row))
            .GroupBy(t => (t.Row.Save, t.Table.Name), (key, rows) => (key.Save, Rows: rows.ToList()))
            .Select(g => (g.Save, g.Rows[0].Table, Rows: g.Rows.ConvertAll(r => r.Row)))
            .OrderBy(g => g.Save)
            .ThenBy(g => g.Table.Name, StringComparer.Ordinal);

        var parameters = new List<SqlParameterValue>();
        var sql = new List<string> { ResilienceSql.Ticket };
        foreach (var (_, table, rows) in tables)
        {
            sql.Add(VersioningSql.LockRows(table, rows.Count, parameters.Count));
            parameters.AddRange(rows.SelectMany(row => table.KeyProperties.Select(key => SqlParameterValue.For(key, row.Key[key.Name]))));
        }

        var command = ContextCommand.Create(context, string.Join(";\n", sql), parameters);
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                var ticket = new CommitTicket(reader.GetString(0), reader.GetString(1));
                while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
                {
                    // A lock that can't be had ends the command in an error, which shows only when its result is read.
                }

                return ticket;
            }
        }
    }

    private static PropertyTable Table(ISqlGenerationHelper helper, IEntityType type)
        => PropertyTable.Of(helper, type, VersionColumn.Find(type)!.Property);
}
