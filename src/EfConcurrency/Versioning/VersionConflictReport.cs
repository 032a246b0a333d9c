using System.Data.Common;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>
/// Finds out which rows of a refused save are stale: one round trip, for all rows of the save that carry a version.
/// EF names the first row only, so that whoever resolves one conflict meets the next (dotnet/efcore#1002).
/// </summary>
/// <param name="context">The context.</param>
/// <param name="named">
/// The entities that EF named, where the report is read among the refused save's own writes (a transaction without savepoints), or null. Only they are
/// sure to be stale then; of the others those are that somebody else wrote.
/// </param>
internal sealed class VersionConflictReport(DbContext context, IReadOnlySet<object>? named = null)
{
    private readonly List<VersionConflict> _conflicts = [];
    private readonly List<IUpdateEntry> _entries = [];

    public IReadOnlyList<VersionConflict> Conflicts => _conflicts;

    public IReadOnlyList<IUpdateEntry> Entries => _entries;

    /// <summary>Reads the versions of <paramref name="entries"/> on the context's connection, in its transaction.</summary>
    public async ValueTask ReadAsync(IEnumerable<IUpdateEntry> entries, bool async, CancellationToken cancellationToken)
    {
        var sql = context.GetService<ISqlGenerationHelper>();
        if (async)
        {
            await context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        else
        {
            context.Database.OpenConnection();
        }

        try
        {
            await ReadAsync(entries, (text, parameters) => ContextCommand.Create(context, text, parameters), sql, async, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (async)
            {
                await context.Database.CloseConnectionAsync().ConfigureAwait(false);
            }
            else
            {
                context.Database.CloseConnection();
            }
        }
    }

    /// <summary>
    /// Reads the versions on a connection of its own: after an error that aborted the context's transaction nothing can be read in it.
    /// </summary>
    public async ValueTask ReadOutsideTransactionAsync(IEnumerable<IUpdateEntry> entries, bool async, CancellationToken cancellationToken)
    {
        var sql = context.GetService<ISqlGenerationHelper>();
        var connection = (DbConnection)((ICloneable)context.Database.GetDbConnection()).Clone();
        await using (connection.ConfigureAwait(false))
        {
            if (async)
            {
                await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                connection.Open();
            }

            await ReadAsync(entries, (text, parameters) => ContextCommand.Create(connection, text, parameters), sql, async, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>One command for all tables: one round trip.</summary>
    private async ValueTask ReadAsync(
        IEnumerable<IUpdateEntry> entries,
        Func<string, IReadOnlyList<SqlParameterValue>, DbCommand> create,
        ISqlGenerationHelper sql,
        bool async,
        CancellationToken cancellationToken)
    {
        var groups = entries.GroupBy(e => e.EntityType).Select(g => (Version: VersionColumn.Find(g.Key)!, Rows: g.ToList())).ToList();
        if (groups.Count == 0)
        {
            return;
        }

        var statements = new List<string>();
        var parameters = new List<SqlParameterValue>();
        foreach (var (version, rows) in groups)
        {
            var table = PropertyTable.Of(sql, rows[0].EntityType, version.Property);
            statements.Add(VersioningSql.ReadVersions(table, rows.Count, parameters.Count, named is not null));
            parameters.AddRange(rows.SelectMany(row => VersionKeys.Values(row).Select((value, i) => SqlParameterValue.For(table.KeyProperties[i], value))));
        }

        var command = create(string.Join(";\n", statements), parameters);
        await using (command.ConfigureAwait(false))
        {
            var reader = async ? await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false) : command.ExecuteReader();
            await using (reader.ConfigureAwait(false))
            {
                foreach (var (version, rows) in groups)
                {
                    Compare(rows, version, await ActualAsync(reader, version, async, cancellationToken).ConfigureAwait(false));
                }
            }
        }
    }

    private async ValueTask<Dictionary<int, (object Version, bool IsOwn)>> ActualAsync(DbDataReader reader, VersionColumn version, bool async, CancellationToken cancellationToken)
    {
        var actual = new Dictionary<int, (object, bool)>();
        while (async ? await reader.ReadAsync(cancellationToken).ConfigureAwait(false) : reader.Read())
        {
            actual[reader.GetInt32(0)] = (version.FromStore(reader.GetValue(1)), named is not null && reader.GetBoolean(2));
        }

        _ = async ? await reader.NextResultAsync(cancellationToken).ConfigureAwait(false) : reader.NextResult();
        return actual;
    }

    private void Compare(List<IUpdateEntry> rows, VersionColumn version, Dictionary<int, (object Version, bool IsOwn)> actual)
    {
        var expectations = context.GetService<VersionExpectations>();
        for (var i = 0; i < rows.Count; i++)
        {
            var entry = rows[i];
            var entity = entry.ToEntityEntry().Entity;
            var isSure = named?.Contains(entity) != false;
            var isPrecondition = expectations.Contains(entity) && isSure;
            var key = VersionKeys.Of(entry.EntityType.FindPrimaryKey()!.Properties, VersionKeys.Values(entry));
            var expected = entry.GetOriginalValue(version.Property);
            var changed = entry.EntityType.GetProperties().Where(p => p != version.Property && entry.IsModified(p)).Select(p => p.Name).ToList();

            if (!actual.TryGetValue(i, out var found))
            {
                if (isSure || entry.EntityState != EntityState.Deleted)
                {
                    Add(entry, VersionConflict.Deleted(entry.EntityType, key, expected, changed, isPrecondition));
                }
            }
            else if ((isSure || !found.IsOwn) && !version.Property.GetValueComparer().Equals(expected, found.Version))
            {
                Add(entry, VersionConflict.Stale(entry.EntityType, key, expected, found.Version, changed, isPrecondition));
            }
        }
    }

    private void Add(IUpdateEntry entry, VersionConflict conflict)
    {
        _entries.Add(entry);
        _conflicts.Add(conflict);
    }
}
